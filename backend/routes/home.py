"""The home feed."""

from datetime import UTC, datetime

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from backend.identity import caller_of
from backend.services.feed import home_feed
from backend.store import ActivityStore


def home_blueprint(store: ActivityStore) -> Blueprint:
    """`GET /api/activities/home`: what everyone sees, and one more for who is signed in."""
    blueprint = Blueprint("home", __name__)

    @blueprint.get("/api/activities/home")
    def show_home() -> ResponseReturnValue:
        feed = home_feed(store, caller_of(request.headers), datetime.now(UTC))
        return [activity.as_json() for activity in feed]

    return blueprint
