"""Error → response. The only place that words a status. Pure.

A refusal says what is wrong in stable words, never what the client sent, and names no software.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus

from sidecar.errors import (
    PolicyError,
    SidecarError,
    TokenError,
    TokenMissing,
    Unavailable,
)
from sidecar.model import Field

_EXPOSED = b"WWW-Authenticate, X-Cognito-Auth, X-Request-Id"

EXPOSES_AUTH: Field = (b"Access-Control-Expose-Headers", b"X-Cognito-Auth")
"""Added to the backend's answers to configured origins. A list may come in several fields, so the
backend's own is left as it is (RFC 9110 §5.3)."""

# The word for `error`: RFC 6750 §3.1 where it has one, else what the status means.
_ERROR_BY_STATUS = {
    400: "invalid_request",
    401: "invalid_token",
    403: "insufficient_scope",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "content_too_large",
    414: "uri_too_long",
    417: "expectation_failed",
    431: "request_header_fields_too_large",
    500: "internal_error",
    501: "not_implemented",
    502: "bad_gateway",
    503: "temporarily_unavailable",
    504: "gateway_timeout",
    505: "http_version_not_supported",
}

_ORIGIN = re.compile(rb"\norigin:[ \t]*([!-~]+)[ \t]*\r?\n", re.IGNORECASE)

_CHALLENGE = 'Bearer realm="cognito"'
_ALLOWED_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response of the sidecar's own: status, fields and body, framing excluded."""

    status: int
    fields: list[Field]
    body: bytes


def word(error: SidecarError, request_id: str, allowed_origin: bytes | None) -> Refusal:
    """Word the response to an error.

    Args:
        error: What was refused; its reason becomes the body's.
        request_id: For the body, so that a person can name the request; letters, digits, `._-`.
        allowed_origin: The `Origin` of the request if its browser may read the answer.

    Source: RFC 6750 §3, RFC 9110 §11.6.1, Fetch standard (CORS protocol).
    """
    fields = [
        (b"Content-Type", b"application/json"),
        (b"Cache-Control", b"no-store"),
        *_challenge(error),
        *_hints(error),
        *cors_fields(allowed_origin),
    ]
    return Refusal(error.status, fields, _body(error, request_id))


def find_origin(head: bytes) -> bytes:
    """Find the `Origin` in a piece of a request that could not be parsed; empty without one.

    The answer to such a request is readable by the browsers of a configured origin as any other is.
    That the piece may be cut or forged does no harm: an answer names only configured origins, and a
    browser compares the name with its own.
    """
    match = _ORIGIN.search(head)
    return match[1] if match is not None else b""


def cors_fields(allowed_origin: bytes | None) -> tuple[Field, ...]:
    """Let the browser of a configured origin read the answer, and nobody else's."""
    if allowed_origin is None:
        return ()
    return (
        (b"Access-Control-Allow-Origin", allowed_origin),
        (b"Access-Control-Allow-Credentials", b"true"),
        (b"Access-Control-Expose-Headers", _EXPOSED),
        (b"Vary", b"Origin"),
    )


def _body(error: SidecarError, request_id: str) -> bytes:
    word = "unauthorized" if isinstance(error, TokenMissing) else _ERROR_BY_STATUS[error.status]
    # All three are words of ours, or hold no character that JSON escapes; json.dumps takes 10 µs.
    body = f'{{"error": "{word}", "reason": "{error.reason}", "request_id": "{request_id}"}}'
    return body.encode()


def _challenge(error: SidecarError) -> tuple[Field, ...]:
    if isinstance(error, TokenMissing):
        value = _CHALLENGE
    elif isinstance(error, TokenError | PolicyError):
        code = _ERROR_BY_STATUS[error.status]
        value = f'{_CHALLENGE}, error="{code}", error_description="{error.reason}"'
    else:
        return ()
    return ((b"WWW-Authenticate", value.encode()),)


def _hints(error: SidecarError) -> tuple[Field, ...]:
    if isinstance(error, Unavailable):
        return ((b"Retry-After", str(error.retry_after_s).encode()),)
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return ((b"Allow", _ALLOWED_METHODS),)
    return ()
