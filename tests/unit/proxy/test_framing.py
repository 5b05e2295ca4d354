"""One method, one version, one host, one way to find the end."""

import pytest

from sidecar.errors import (
    ExpectationFailed,
    HeaderInvalid,
    MethodNotAllowed,
    NotImplementedHere,
    RequestMalformed,
    SidecarError,
    VersionNotSupported,
)
from sidecar.model import Field
from sidecar.proxy import headers
from sidecar.proxy.framing import HANDSHAKE, NO_BODY, Framing, check_framing, chunk

HOST: Field = (b"Host", b"a")


def framing(*fields: Field, method: str = "POST", version: tuple[int, int] = (1, 1)) -> Framing:
    """Check a request with a host."""
    return check_framing(method, version, headers.strip([HOST, *fields], frozenset()))


def test_length_is_written_anew() -> None:
    """In its shortest spelling."""
    found = framing((b"Content-Length", b"007"), (b"Expect", b"100-Continue"))
    assert found.fields == ((b"Content-Length", b"7"),)
    assert (found.length, found.has_body, found.expects_continue) == (7, True, True)


def test_chunks_stay_chunks() -> None:
    """Of no known length."""
    found = framing((b"Transfer-Encoding", b"Chunked"))
    assert found.fields == ((b"Transfer-Encoding", b"chunked"),)
    assert (found.length, found.is_chunked) == (0, True)


def test_request_without_length_has_no_body() -> None:
    """RFC 9112 §6.3, rule 7; an expectation of it means nothing."""
    assert framing((b"Expect", b"100-continue")) == NO_BODY


def test_http_1_0_expects_nothing() -> None:
    """RFC 9110 §10.1.1."""
    fields = ((b"Content-Length", b"1"), (b"Expect", b"100-continue"))
    assert not framing(*fields, version=(1, 0)).expects_continue


@pytest.mark.parametrize(
    ("upgrade", "connection", "method", "version", "expected"),
    [
        (b"websocket", b"Upgrade", "GET", (1, 1), HANDSHAKE),
        (b"WebSocket", b"keep-alive, upgrade", "GET", (1, 1), HANDSHAKE),
        (b"websocket", b"keep-alive", "GET", (1, 1), NO_BODY),
        (b"websocket", b"upgrade", "POST", (1, 1), NO_BODY),
        (b"websocket", b"upgrade", "GET", (1, 0), NO_BODY),
        (b"h2c", b"upgrade", "GET", (1, 1), NO_BODY),
        (b"websocket, h2c", b"upgrade", "GET", (1, 1), NO_BODY),
    ],
)
def test_only_a_websocket_handshake_is_one(
    upgrade: bytes, connection: bytes, method: str, version: tuple[int, int], expected: Framing
) -> None:
    """Everything else is a plain request."""
    fields = ((b"Upgrade", upgrade), (b"Connection", connection))
    assert framing(*fields, method=method, version=version) == expected


@pytest.mark.parametrize(("upgrade", "expected"), [(b"h2c", True), (b"websocket", False)])
def test_declined_upgrade_with_a_body_is_the_last_request(
    upgrade: bytes,
    expected: bool,  # noqa: FBT001 - a table
) -> None:
    """Aiohttp would lose what follows."""
    fields = ((b"Upgrade", upgrade), (b"Connection", b"upgrade"), (b"Content-Length", b"1"))
    assert framing(*fields).is_last is expected


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ([(b"Content-Length", b"1"), (b"Content-Length", b"1")], RequestMalformed),
        ([(b"Content-Length", b"1, 1")], RequestMalformed),
        ([(b"Content-Length", b"+1")], RequestMalformed),
        ([(b"Content-Length", b"1" * 16)], RequestMalformed),
        ([(b"Content-Length", b"1"), (b"Transfer-Encoding", b"chunked")], RequestMalformed),
        ([(b"Transfer-Encoding", b"chunked")] * 2, RequestMalformed),
        ([(b"Transfer-Encoding", b"gzip, chunked")], NotImplementedHere),
        ([(b"Expect", b"200-ok")], ExpectationFailed),
        ([HOST], HeaderInvalid),
    ],
)
def test_two_readings_are_refused(fields: list[Field], error: type[SidecarError]) -> None:
    """Whole, by the leaf that says why."""
    with pytest.raises(error):
        framing(*fields)


@pytest.mark.parametrize(
    ("method", "version", "error"),
    [
        ("GET", (2, 0), VersionNotSupported),
        ("GET", (0, 9), VersionNotSupported),
        ("TRACE", (1, 1), MethodNotAllowed),
        ("CONNECT", (1, 1), MethodNotAllowed),
        ("PROPFIND", (1, 1), NotImplementedHere),
    ],
)
def test_request_that_is_not_carried(
    method: str, version: tuple[int, int], error: type[SidecarError]
) -> None:
    """Versions and methods of others."""
    with pytest.raises(error):
        framing(method=method, version=version)


def test_chunks_are_not_carried_for_http_1_0() -> None:
    """It knows none."""
    with pytest.raises(RequestMalformed):
        framing((b"Transfer-Encoding", b"chunked"), version=(1, 0))


@pytest.mark.parametrize(
    ("host", "is_valid"),
    [
        *((b"a.example:80", True), (b"[::1]:65535", True), (b"127.0.0.1", True), (b"a_b", True)),
        *((b"", False), (b"a/b", False), (b"a,b", False), (b"a:65536", False), (b"a:", False)),
        *((b"u@a", False), (b"a b", False), (b"[::1", False)),
    ],
)
def test_host_is_one_host(host: bytes, is_valid: bool) -> None:  # noqa: FBT001 - a table
    """A name or an address, and a port that exists."""
    client = headers.strip([(b"Host", host)], frozenset())
    if is_valid:
        assert check_framing("GET", (1, 1), client) == NO_BODY
    else:
        with pytest.raises(HeaderInvalid):
            check_framing("GET", (1, 1), client)


def test_no_bytes_make_no_chunk() -> None:
    """It would be the last one."""
    assert (chunk(b""), chunk(b"hello")) == (b"", b"5\r\nhello\r\n")
