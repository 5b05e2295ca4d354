"""One user's activities."""

from datetime import UTC, datetime

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from backend.identity import caller_of
from backend.services.feed import user_feed
from backend.store import ActivityStore


def users_blueprint(store: ActivityStore) -> Blueprint:
    """`GET /api/activities/@<handle>`: an empty list for a handle nobody has used.

    The backend has no list of users, so it cannot tell a silent user from a missing one.
    """
    blueprint = Blueprint("users", __name__)

    # `path`, because a Cognito username may contain a slash and WSGI decodes %2F before routing.
    @blueprint.get("/api/activities/@<path:handle>")
    def show_user(handle: str) -> ResponseReturnValue:
        feed = user_feed(store, handle, caller_of(request.headers), datetime.now(UTC))
        return [activity.as_json() for activity in feed]

    return blueprint
