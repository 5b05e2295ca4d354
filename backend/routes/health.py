"""Whether this process can serve."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from backend.store import ActivityStore


def health_blueprint(store: ActivityStore) -> Blueprint:
    """`GET /health`: 200 while the database is usable, else 503."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def show_health() -> ResponseReturnValue:
        store.check()
        return {"status": "ok"}

    return blueprint
