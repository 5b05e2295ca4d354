"""Who the backend was told is calling."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from backend.identity import caller_of


def whoami_blueprint() -> Blueprint:
    """`GET /api/whoami`: the two values the sidecar gave, null where it gave none."""
    blueprint = Blueprint("whoami", __name__)

    @blueprint.get("/api/whoami")
    def show_caller() -> ResponseReturnValue:
        caller = caller_of(request.headers)
        return {"sub": caller.sub, "username": caller.username}

    return blueprint
