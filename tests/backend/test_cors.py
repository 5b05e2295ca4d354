from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.config import settings_of


def preflight(client: FlaskClient, origin: str, *, method: str = "POST") -> TestResponse:
    return client.options(
        "/api/activities",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,traceparent,x-user",
        },
    )


def test_preflight_known_origin_is_told_what_it_may_send(client: FlaskClient) -> None:
    """Methods and headers are the documented ones; others are not among them."""
    response = preflight(client, "http://localhost:3000")
    allowed_methods = set(response.headers["Access-Control-Allow-Methods"].split(", "))
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert allowed_methods == {"OPTIONS", "GET", "HEAD", "POST"}
    assert (
        response.headers["Access-Control-Allow-Headers"]
        == "authorization, content-type, traceparent"
    )
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost:3000.evil.example",
        "http://localhost:30000",
        "null",
    ],
)
def test_preflight_other_origin_is_told_nothing(client: FlaskClient, origin: str) -> None:
    """An origin is compared whole."""
    response = preflight(client, origin)
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


def test_request_without_origin_is_not_told_the_origins(client: FlaskClient) -> None:
    """Who does not ask as a browser learns nothing."""
    assert "Access-Control-Allow-Origin" not in client.get("/health").headers


@pytest.mark.parametrize(("path", "status"), [("/api/whoami", 200), ("/none", 404)])
def test_answers_and_errors_can_be_read_by_a_known_origin(
    client: FlaskClient, path: str, status: int
) -> None:
    """A script sees the error, not only that there was one."""
    response = client.get(path, headers={"Origin": "http://localhost:3000"})
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert response.headers["Vary"] == "Origin"
    assert "Access-Control-Expose-Headers" not in response.headers


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://app.example.com", True),
        ("http://[::1]:8080", True),
        ("https://appxexample.com", False),
        ("http://::8080", False),
        ("http://localhost:3000", False),
    ],
)
def test_configured_origins_are_literal(tmp_path: Path, origin: str, *, is_allowed: bool) -> None:
    """A dot or a bracket in an origin is not a pattern; the default no longer applies."""
    settings = settings_of(
        {
            "BACKEND_DATABASE": str(tmp_path / "db.sqlite3"),
            "FRONTEND_URL": "https://app.example.com",
            "BACKEND_URL": "http://[::1]:8080",
        }
    )
    response = preflight(create_app(settings).test_client(), origin)
    assert response.headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)
