"""Error -> JSON answer. The only place that words an error; no page, no traceback, ever."""

from flask import Flask, current_app
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from backend.errors import ActivityInvalid, BackendError

SERVER_ERROR = 500

# werkzeug's own sentences speak to a person who typed an address.
_MESSAGES = {
    404: "there is nothing at this path",
    405: "this path exists, with another method; see Allow",
    413: "the body is too long",
    415: "Content-Type must be application/json",
    500: "the backend failed; its log says why",
}


def answer_errors_in_json(app: Flask) -> None:
    """Make every error of `app` a JSON object with `error` (stable) and `message` (for people).

    An exception nobody expected becomes a plain 500: Flask logs its traceback and hands us
    `InternalServerError`.
    """
    app.register_error_handler(BackendError, _backend_refusal)
    app.register_error_handler(HTTPException, _http_refusal)


def _backend_refusal(error: BackendError) -> ResponseReturnValue:
    if error.status >= SERVER_ERROR:
        current_app.logger.error("%s: %s", error.reason, error.__cause__)
    body: dict[str, object] = {"error": error.reason, "message": str(error)}
    if isinstance(error, ActivityInvalid):
        body["problems"] = [
            {"field": problem.field, "expected": problem.expected} for problem in error.problems
        ]
    return body, error.status


def _http_refusal(error: HTTPException) -> ResponseReturnValue:
    status = error.code or SERVER_ERROR
    name = error.name.lower()
    # The rest of the headers matters: a 405 must name the allowed methods (RFC 9110 §15.5.6).
    headers = [field for field in error.get_headers() if field[0].lower() != "content-type"]
    body = {"error": name.replace(" ", "_"), "message": _MESSAGES.get(status, name)}
    return body, status, headers
