from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

MAX_BODY_BYTES = 64 * 1024


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api//whoami", "/api/whoami/", "/api/activities/@", "/static/x", "/%0A"]
)
def test_unknown_path_is_json_404(client: FlaskClient, path: str) -> None:
    """No page and no redirect, however nearly a path is right."""
    response = client.get(path)
    assert response.status_code == 404
    assert response.is_json
    assert response.get_json()["error"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/activities/home", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/health", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/activities", {"POST", "OPTIONS"}),
    ],
)
def test_wrong_method_is_json_405_with_allow(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    """The answer says which methods there are."""
    response = client.open(path, method=method)
    assert response.status_code == 405
    assert response.get_json()["error"] == "method_not_allowed"
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 50_000, b'{"message": ' + b"1" * 5_000 + b"}"],
    ids=["empty", "cut", "not-utf8", "deep", "huge-number"],
)
def test_malformed_json_is_400(client: FlaskClient, identity: dict[str, str], body: bytes) -> None:
    """Whatever trips the parser is the client's mistake, not a crash."""
    response = client.post(
        "/api/activities", headers=identity, data=body, content_type="application/json"
    )
    assert response.status_code == 400
    assert response.get_json()["error"] == "json_malformed"


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_body_that_is_not_json_is_415(
    client: FlaskClient, identity: dict[str, str], content_type: str | None
) -> None:
    """JSON must be announced as JSON; so a plain HTML form can post nothing."""
    response = client.post(
        "/api/activities", headers=identity, data=b"{}", content_type=content_type
    )
    assert response.status_code == 415
    assert response.get_json()["error"] == "unsupported_media_type"


def padded(size: int) -> bytes:
    """A good activity, made `size` bytes long with spaces."""
    return b'{"message": "hi", "ttl": "1-day"}'.ljust(size)


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 201), (MAX_BODY_BYTES + 1, 413)])
def test_body_over_64_kib_is_413(
    client: FlaskClient, identity: dict[str, str], size: int, status: int, *, is_chunked: bool
) -> None:
    """The limit is exact, with a Content-Length and without one."""
    body = {"input_stream": BytesIO(padded(size))} if is_chunked else {"data": padded(size)}
    response = client.post(
        "/api/activities",
        headers=identity,
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": is_chunked} if is_chunked else {},
        **body,
    )
    assert response.status_code == status
    assert response.is_json


def test_unexpected_exception_is_json_500_without_details(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """The traceback is in the log and only there."""

    @app.get("/broken")
    def break_down() -> str:
        raise KeyError("a secret")

    response = app.test_client().get("/broken")
    assert response.status_code == 500
    assert response.get_json()["error"] == "internal_server_error"
    assert "secret" not in response.text
    assert "a secret" in caplog.text
