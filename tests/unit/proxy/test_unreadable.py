"""What aiohttp could not read, in our words."""

import pytest
from aiohttp.http_exceptions import (
    BadHttpMessage,
    BadHttpMethod,
    BadStatusLine,
    InvalidURLError,
    LineTooLong,
)

from sidecar.errors import (
    FieldsTooLarge,
    MethodNotAllowed,
    NotImplementedHere,
    RequestError,
    RequestMalformed,
    TargetTooLarge,
    VersionNotSupported,
)
from sidecar.policy.target import MAX_TARGET_BYTES
from sidecar.proxy.unreadable import explain, is_foreign


@pytest.mark.parametrize(
    ("error", "head", "expected"),
    [
        (LineTooLong(b"GET", MAX_TARGET_BYTES), b"GET /", TargetTooLarge),
        (LineTooLong(b"X-A", 16384), b"GET /", FieldsTooLarge),
        (BadHttpMessage("Too many headers received"), b"GET /", FieldsTooLarge),
        (BadHttpMessage("Duplicate 'Host' header found."), b"GET /", RequestMalformed),
        (BadHttpMethod(), b"get / HTTP/1.1", NotImplementedHere),
        (BadHttpMethod(), b"g", NotImplementedHere),
        (BadHttpMethod(), b"GETS / HTTP/1.1", NotImplementedHere),
        (BadStatusLine(), b"DESCRIBE / HTTP/1.1", NotImplementedHere),
        (BadHttpMethod(), b" GET / HTTP/1.1", RequestMalformed),
        (BadHttpMethod(), b"GET\t/ HTTP/1.1", RequestMalformed),
        (BadHttpMethod(), b"\x16\x03\x01", RequestMalformed),
        (BadHttpMethod(), b"", RequestMalformed),
        (BadStatusLine(), b"GET / HTTP/1.2\r\n", VersionNotSupported),
        (BadStatusLine(), b"GET / HTTP/3", VersionNotSupported),
        (BadStatusLine(), b"GET / HTTP/1.1 \r\n", RequestMalformed),
        (InvalidURLError("*"), b"GET * HTTP/1.1", MethodNotAllowed),
        (InvalidURLError("x"), b"GET x HTTP/1.1", RequestMalformed),
        (None, b"", RequestMalformed),
    ],
)
def test_error_gets_its_status(
    error: BaseException | None, head: bytes, expected: type[RequestError]
) -> None:
    """The leaf says what was expected; it repeats nothing."""
    explained = explain(error, head)
    assert type(explained) is expected
    assert "Duplicate" not in str(explained)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", False),
        (b"GET  /  HTTP/1.1\r\n\r\n", False),
        (b"GET / RTSP/1.0\r\n\r\n", True),
        (b"\r\nGET / RTSP/1.0\r\n\r\n", True),
        (b"\r\nGET / HTTP/1.1\r\n\r\n", False),
        (b"", False),
    ],
)
def test_other_protocol_is_noticed(head: bytes, expected: bool) -> None:  # noqa: FBT001 - a table
    """Llhttp takes RTSP for HTTP."""
    assert is_foreign(head) is expected
