"""Notifications."""

from datetime import UTC, datetime

from flask import Blueprint
from flask.typing import ResponseReturnValue

from backend.services.samples import sample_notifications


def notifications_blueprint() -> Blueprint:
    """`GET /api/activities/notifications`: the same samples for everyone."""
    blueprint = Blueprint("notifications", __name__)

    @blueprint.get("/api/activities/notifications")
    def show_notifications() -> ResponseReturnValue:
        return [activity.as_json() for activity in sample_notifications(datetime.now(UTC))]

    return blueprint
