from datetime import UTC, datetime, timedelta

import pytest

from backend.errors import ActivityInvalid
from backend.identity import Author
from backend.services.posting import LIFETIMES, Draft, publish, read_draft
from backend.store import ActivityStore

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def fields(body: object) -> list[str]:
    """Names of the members that `read_draft` finds fault with, in order."""
    with pytest.raises(ActivityInvalid) as refusal:
        read_draft(body)
    return [problem.field for problem in refusal.value.problems]


def test_draft_good_body_is_accepted() -> None:
    """Message and ttl are taken; whatever else the body says is not."""
    body = {"message": " hi ", "ttl": "3-hours", "handle": "worf", "sub": "x"}
    assert read_draft(body) == Draft(message=" hi ", lifetime=timedelta(hours=3))


@pytest.mark.parametrize("message", ["x", "x" * 280, "\U0001f596" * 280])
def test_draft_message_of_1_to_280_characters_is_accepted(message: str) -> None:
    """Characters are counted, not bytes."""
    assert read_draft({"message": message, "ttl": "1-day"}).message == message


@pytest.mark.parametrize(
    "message",
    [None, 1, True, ["x"], {}, "", " \t\n\u3000", "x" * 281, "\ud800"],
    ids=["null", "int", "bool", "list", "object", "empty", "blank", "long", "surrogate"],
)
def test_draft_bad_message_is_refused(message: object) -> None:
    """A message is text, not blank, not long, and can be written down."""
    assert fields({"message": message, "ttl": "1-day"}) == ["message"]


@pytest.mark.parametrize("ttl", [None, 1, [], {}, "", "2-days", "1-DAY", " 1-day"])
def test_draft_unknown_ttl_is_refused(ttl: object) -> None:
    """Only the seven offered lifetimes exist."""
    assert fields({"message": "x", "ttl": ttl}) == ["ttl"]


def test_draft_all_problems_are_listed_at_once() -> None:
    """One answer is enough to repair a body with three faults."""
    body = {"message": " " * 281}
    assert fields(body) == ["message", "message", "ttl"]


@pytest.mark.parametrize("body", [None, 1, "text", [], [{"message": "x"}]])
def test_draft_body_that_is_no_object_is_refused(body: object) -> None:
    """JSON alone is not enough."""
    assert fields(body) == ["body"]


@pytest.mark.parametrize(
    ("ttl", "hours"),
    [
        ("30-days", 720),
        ("7-days", 168),
        ("3-days", 72),
        ("1-day", 24),
        ("12-hours", 12),
        ("3-hours", 3),
        ("1-hour", 1),
    ],
)
def test_publish_lifetime_is_what_ttl_says(store: ActivityStore, ttl: str, hours: int) -> None:
    """An activity expires exactly its lifetime after it was made."""
    author = Author(sub="s-1", handle="bashir")
    activity = publish(store, author, Draft(message="x", lifetime=LIFETIMES[ttl]), NOW)
    assert activity.created_at == NOW
    assert activity.expires_at == NOW + timedelta(hours=hours)


def test_publish_activity_is_kept_under_its_authors_handle(store: ActivityStore) -> None:
    """What is returned is what is stored."""
    author = Author(sub="s-1", handle="bashir")
    activity = publish(store, author, Draft(message="x", lifetime=timedelta(hours=1)), NOW)
    assert store.by_handle("bashir", NOW, 10) == [activity]
