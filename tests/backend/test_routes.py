from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.app import create_app
from backend.config import Settings

ACTIVITY_MEMBERS = {
    "uuid",
    "handle",
    "message",
    "created_at",
    "expires_at",
    "likes_count",
    "replies_count",
    "reposts_count",
    "replies",
}


def test_home_anonymous_gets_complete_activities(client: FlaskClient) -> None:
    """Each activity has every member, and its count of replies is true."""
    response = client.get("/api/activities/home")
    feed = response.get_json()
    assert response.status_code == 200
    assert {"Worf", "Garek"} <= {activity["handle"] for activity in feed}
    for activity in feed:
        assert set(activity) == ACTIVITY_MEMBERS
        assert activity["replies_count"] == len(activity["replies"])
        assert datetime.fromisoformat(activity["expires_at"]).utcoffset() == timedelta(0)


def test_home_signed_in_has_lore_first(client: FlaskClient, identity: dict[str, str]) -> None:
    """The sub header alone decides."""
    anonymous = client.get("/api/activities/home").get_json()
    feed = client.get("/api/activities/home", headers=identity).get_json()
    assert feed[0]["handle"] == "Lore"
    assert len(feed) == len(anonymous) + 1
    assert "Lore" not in {activity["handle"] for activity in anonymous}


def test_home_bearer_token_alone_changes_nothing(client: FlaskClient) -> None:
    """The backend does not look at tokens."""
    feed = client.get("/api/activities/home", headers={"Authorization": "Bearer x"}).get_json()
    assert "Lore" not in {activity["handle"] for activity in feed}


def test_answers_are_never_cached(client: FlaskClient, identity: dict[str, str]) -> None:
    """One caller's answer cannot be served to another."""
    for headers in ({}, identity):
        response = client.get("/api/whoami", headers=headers)
        assert response.headers["Cache-Control"] == "no-store"


def test_notifications_is_a_list_of_activities(client: FlaskClient) -> None:
    """Notifications have the form of activities."""
    notifications = client.get("/api/activities/notifications").get_json()
    assert notifications
    assert all(set(notification) == ACTIVITY_MEMBERS for notification in notifications)


def test_user_unknown_handle_is_an_empty_list(client: FlaskClient) -> None:
    """The backend keeps no list of users to miss someone in."""
    response = client.get("/api/activities/@nobody")
    assert (response.status_code, response.get_json()) == (200, [])


@pytest.mark.parametrize(
    ("username", "path"),
    [("bashir", "bashir"), ("J%C3%BCrgen", "J%C3%BCrgen"), ("a/b", "a%2Fb"), ("home", "home")],
)
def test_user_posts_are_found_by_handle(client: FlaskClient, username: str, path: str) -> None:
    """Whatever a Cognito username may contain, its page can be asked for."""
    headers = {"X-Cognito-Sub": "s-1", "X-Cognito-Username": username}
    posted = client.post(
        "/api/activities", headers=headers, json={"message": "hi", "ttl": "1-day"}
    ).get_json()
    assert client.get(f"/api/activities/@{path}").get_json() == [posted]


def test_whoami_anonymous_is_nulls(client: FlaskClient) -> None:
    """Nobody is null, not an error."""
    assert client.get("/api/whoami").get_json() == {"sub": None, "username": None}


def test_whoami_says_what_the_headers_say(client: FlaskClient) -> None:
    """The username is decoded, the sub is not touched."""
    headers = {"X-Cognito-Sub": "s%C3%A91", "X-Cognito-Username": "J%C3%BCrgen"}
    expected = {"sub": "s%C3%A91", "username": "Jürgen"}
    assert client.get("/api/whoami", headers=headers).get_json() == expected


def test_health_usable_database_is_ok(client: FlaskClient) -> None:
    """A fresh start is healthy."""
    response = client.get("/health")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_health_lost_database_is_503(client: FlaskClient, settings: Settings) -> None:
    """The answer is JSON and does not tell where the file was."""
    settings.database.unlink()
    response = client.get("/health")
    assert response.status_code == 503
    assert response.get_json()["error"] == "store_unavailable"
    assert str(settings.database) not in response.text


def test_post_signed_in_leads_the_feed(client: FlaskClient, identity: dict[str, str]) -> None:
    """201 with the activity; the same activity is then first for all, after Lore's."""
    before = datetime.now(UTC)
    response = client.post(
        "/api/activities", headers=identity, json={"message": "Größe ✓", "ttl": "7-days"}
    )
    posted = response.get_json()
    assert response.status_code == 201
    assert (posted["handle"], posted["message"]) == ("bashir", "Größe ✓")
    created_at = datetime.fromisoformat(posted["created_at"])
    assert before <= created_at <= datetime.now(UTC)
    assert datetime.fromisoformat(posted["expires_at"]) == created_at + timedelta(days=7)
    assert client.get("/api/activities/home").get_json()[0] == posted
    assert client.get("/api/activities/home", headers=identity).get_json()[1] == posted


def test_post_author_is_the_caller_whatever_the_body_says(
    client: FlaskClient, identity: dict[str, str]
) -> None:
    """A body cannot speak for someone else."""
    body = {
        "message": "hi",
        "ttl": "1-day",
        "handle": "Worf",
        "user_handle": "Worf",
        "sub": "sub-of-worf",
        "uuid": "mine",
    }
    posted = client.post("/api/activities", headers=identity, json=body).get_json()
    assert posted["handle"] == "bashir"
    assert posted["uuid"] != "mine"


def test_post_without_username_is_shown_by_sub(client: FlaskClient) -> None:
    """Machines can post."""
    posted = client.post(
        "/api/activities",
        headers={"X-Cognito-Sub": "s-1"},
        json={"message": "hi", "ttl": "1-day"},
    ).get_json()
    assert posted["handle"] == "s-1"


@pytest.mark.parametrize("headers", [{}, {"X-Cognito-Username": "bashir"}])
def test_post_anonymous_is_401_and_nothing_is_kept(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    """A body with a good activity and a claimed author does not help."""
    before = len(client.get("/api/activities/home").get_json())
    body = {"message": "hi", "ttl": "1-day", "handle": "bashir"}
    response = client.post("/api/activities", headers=headers, json=body)
    assert response.status_code == 401
    assert response.get_json()["error"] == "sign_in_required"
    assert len(client.get("/api/activities/home").get_json()) == before


def test_post_invalid_lists_every_problem(client: FlaskClient, identity: dict[str, str]) -> None:
    """422 names each bad member and what was expected, never what was sent."""
    response = client.post("/api/activities", headers=identity, json={"message": 7, "ttl": "eon"})
    answer = response.get_json()
    assert response.status_code == 422
    assert answer["error"] == "activity_invalid"
    assert [problem["field"] for problem in answer["problems"]] == ["message", "ttl"]
    assert "eon" not in response.text


def test_post_survives_a_restart(app: Flask, settings: Settings, identity: dict[str, str]) -> None:
    """A second application on the same file shows what the first was told."""
    body = {"message": "remember", "ttl": "30-days"}
    posted = app.test_client().post("/api/activities", headers=identity, json=body).get_json()
    restarted = create_app(settings)
    feed = restarted.test_client().get("/api/activities/home").get_json()
    restarted.extensions["activity_store"].close()
    assert posted in feed
