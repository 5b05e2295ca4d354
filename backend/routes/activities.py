"""Posting an activity."""

from datetime import UTC, datetime

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from backend.errors import BodyMalformed
from backend.identity import author_of, caller_of
from backend.services.posting import publish, read_draft
from backend.store import ActivityStore

# 64 KiB. The longest valid activity, every character escaped, is under 4 KiB; anything near this
# limit is a mistake or an attempt to fill memory.
MAX_BODY_BYTES = 64 * 1024


def activities_blueprint(store: ActivityStore) -> Blueprint:
    """`POST /api/activities`: 201 with the activity; who is asked before what."""
    blueprint = Blueprint("activities", __name__)

    @blueprint.post("/api/activities")
    def post_activity() -> ResponseReturnValue:
        author = author_of(caller_of(request.headers))
        draft = read_draft(_json_body())
        return publish(store, author, draft, datetime.now(UTC)).as_json(), 201

    return blueprint


def _json_body() -> object:
    _refuse_long_body()
    try:
        return request.get_json()
    except (BadRequest, RecursionError) as error:
        # RecursionError: a kilobyte of "[" is enough; the client's mistake, not a crash of ours.
        raise BodyMalformed("the body must be JSON") from error


def _refuse_long_body() -> None:
    # werkzeug refuses a long Content-Length, but cuts a long chunked body off at the limit, and
    # what is left may well be valid JSON. Reading one byte more shows that there was more.
    request.max_content_length = MAX_BODY_BYTES + 1
    if len(request.get_data()) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
