"""The backend as it is, and with the sidecar's middleware inside: it cannot tell the difference."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.config import Settings, settings_of
from backend.store import ActivityStore
from sidecar.config import load
from sidecar.wsgi import CognitoIdentity
from tests.support import mint
from tests.support.key_thread import serving_keys


class TokenClient(FlaskClient):
    """Sends, with the identity fields that a test says, the token that would prove them.

    A backend with the middleware believes the token alone; the fields are a spoofing client's.
    """

    def open(self, *args: object, **kwargs: object) -> TestResponse:
        """Send a request; with a token if the test names a sub."""
        headers = Headers(kwargs.pop("headers", None))  # type: ignore[arg-type]  # as werkzeug does
        if sub := headers.get("X-Cognito-Sub"):
            username = headers.get("X-Cognito-Username")
            token = mint.mint(
                now=time.time(),  # noqa: TID251 - the middleware reads the real clock
                sub=unquote(sub),
                username=None if username is None else unquote(username),
            )
            headers["Authorization"] = f"Bearer {token.decode()}"
        return super().open(*args, headers=headers, **kwargs)  # type: ignore[arg-type]  # as above


@pytest.fixture(scope="session")
def middleware_settings() -> Iterator[dict[str, str]]:
    """What a middleware is told; its keys are served until all tests are over."""
    with serving_keys() as keys:
        yield {
            "user_pool_id": mint.POOL_ID,
            "user_pool_client_id": mint.CLIENT_ID,
            "jwks_url": keys.url,
        }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of({"BACKEND_DATABASE": str(tmp_path / "state" / "backend.sqlite3")})


@pytest.fixture
def store(settings: Settings) -> Iterator[ActivityStore]:
    store = ActivityStore(settings.database)
    store.prepare()
    yield store
    store.close()


@pytest.fixture(params=["as it is", "with middleware"])
def app(
    request: pytest.FixtureRequest, settings: Settings, middleware_settings: dict[str, str]
) -> Iterator[Flask]:
    app = create_app(settings)
    middleware = None
    if request.param == "with middleware":
        middleware = CognitoIdentity(app.wsgi_app, load(middleware_settings, {}))
        app.wsgi_app = middleware  # type: ignore[method-assign]  # Flask's own advice
        app.test_client_class = TokenClient
    yield app
    app.extensions["activity_store"].close()
    if middleware is not None:
        middleware.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def identity() -> dict[str, str]:
    """What the sidecar adds for a signed-in user."""
    return {"X-Cognito-Sub": "sub-of-bashir", "X-Cognito-Username": "bashir"}
