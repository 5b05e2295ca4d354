from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.app import create_app
from backend.config import Settings, settings_of
from backend.store import ActivityStore


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of({"BACKEND_DATABASE": str(tmp_path / "state" / "backend.sqlite3")})


@pytest.fixture
def store(settings: Settings) -> Iterator[ActivityStore]:
    store = ActivityStore(settings.database)
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["activity_store"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def identity() -> dict[str, str]:
    """What the sidecar adds for a signed-in user."""
    return {"X-Cognito-Sub": "sub-of-bashir", "X-Cognito-Username": "bashir"}
