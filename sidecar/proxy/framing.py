"""Checks of a request's frame that aiohttp's parser leaves open (RFC 9112 §2, §6). Pure.

A request that two readers could cut differently is refused whole; what passes has one method, one
version, one host and one way to find the end of its body.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from sidecar.errors import (
    ExpectationFailed,
    HeaderInvalid,
    MethodNotAllowed,
    NotImplementedHere,
    RequestMalformed,
    VersionNotSupported,
)
from sidecar.proxy.headers import ClientFields

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are forwarded."""

NEVER = frozenset({"CONNECT", "TRACE"})
"""Methods that are known and never forwarded: they speak to the proxy, not through it."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent again without doing anything twice (RFC 9110 §9.2.1)."""

_VERSIONS = frozenset({(1, 0), (1, 1)})

# uri-host [":" port] (RFC 9110 §7.2); an IP literal in brackets, else a name or IPv4 address.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{1,255})(?::[0-9]{1,5})?")
_MAX_PORT = 65535

_LENGTH = re.compile(rb"[0-9]{1,15}")

LAST_CHUNK = b"0\r\n\r\n"

# Without any of these a request ends with its head and asks for nothing special.
_SAYS_MORE = frozenset({b"content-length", b"expect", b"transfer-encoding", b"upgrade"})

_SWITCH = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))


@dataclass(frozen=True, slots=True)
class Framing:
    """How a request is delimited, and what may follow it.

    Attributes:
        fields: The one framing field for the backend, or none; those of a handshake.
        is_chunked: The body must be sent in chunks.
        has_body: The message has a body, be it empty.
        length: Of the body, as announced; 0 if it was not.
        expects_continue: The client waits for 100 before it sends the body.
        is_handshake: The client asks for a WebSocket (RFC 6455 §4.1).
        is_last: Nothing may follow on this connection: a body with an upgrade to anything but a
            WebSocket, for aiohttp drops what comes in one segment with its end.
    """

    fields: tuple[tuple[bytes, bytes], ...] = ()
    is_chunked: bool = False
    has_body: bool = False
    length: int = 0
    expects_continue: bool = False
    is_handshake: bool = False
    is_last: bool = False


NO_BODY = Framing()
HANDSHAKE = Framing(_SWITCH, is_handshake=True)


def check_framing(method: str, version: tuple[int, int], fields: ClientFields) -> Framing:
    """Read how a request is framed, and refuse it if that could be read in two ways.

    Args:
        method: As received.
        version: Major and minor number of HTTP.
        fields: From `headers.strip`.

    Raises:
        VersionNotSupported: Neither HTTP/1.0 nor HTTP/1.1.
        MethodNotAllowed: CONNECT or TRACE.
        NotImplementedHere: An unknown method or transfer coding.
        HeaderInvalid: `Host` is not one valid host.
        RequestMalformed: Lengths and codings contradict each other.
        ExpectationFailed: `Expect` asks for anything but 100-continue.
    """
    if version not in _VERSIONS:
        raise VersionNotSupported("HTTP/1.1")
    if method in NEVER:
        raise MethodNotAllowed("a method that is forwarded")
    if method not in METHODS:
        raise NotImplementedHere("a method of RFC 9110 or RFC 5789")
    _check_host(fields)
    if _SAYS_MORE.isdisjoint(fields.taken_out):
        return NO_BODY
    expects_continue = _check_expect(fields) and version >= (1, 1)
    is_last = bool(fields.values(b"upgrade")) and not _names_websocket(fields)
    if fields.values(b"transfer-encoding"):
        _check_chunked(version, fields)
        return Framing(
            ((b"Transfer-Encoding", b"chunked"),),
            is_chunked=True,
            has_body=True,
            expects_continue=expects_continue,
            is_last=is_last,
        )
    lengths = fields.values(b"content-length")
    if not lengths:
        return HANDSHAKE if _is_handshake(method, version, fields) else NO_BODY
    if len(lengths) > 1 or _LENGTH.fullmatch(lengths[0]) is None:
        raise RequestMalformed("one Content-Length in digits")
    length = int(lengths[0])
    return Framing(
        ((b"Content-Length", b"%d" % length),),
        has_body=True,
        length=length,
        expects_continue=expects_continue,
        is_last=is_last,
    )


def chunk(data: bytes) -> bytes:
    """Frame a piece of a chunked body; no bytes make no chunk, for that would be the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _is_handshake(method: str, version: tuple[int, int], fields: ClientFields) -> bool:
    if method != "GET" or version < (1, 1):
        return False
    options = b",".join(fields.values(b"connection")).lower().split(b",")
    return _names_websocket(fields) and b"upgrade" in [option.strip() for option in options]


def _names_websocket(fields: ClientFields) -> bool:
    return [value.lower() for value in fields.values(b"upgrade")] == [b"websocket"]


def _check_host(fields: ClientFields) -> None:
    hosts = fields.values(b"host")
    if len(hosts) != 1 or not _is_host(hosts[0]):
        raise HeaderInvalid("one Host of a name and a port")


@lru_cache(maxsize=256)  # a sidecar serves few names, and each again and again
def _is_host(host: bytes) -> bool:
    if _HOST.fullmatch(host) is None:
        return False
    port = host.rpartition(b":")[2]
    has_port = port.isdigit() and host[-len(port) - 1 : -len(port)] == b":"
    return not has_port or int(port) <= _MAX_PORT


def _check_expect(fields: ClientFields) -> bool:
    expectations = fields.values(b"expect")
    if not expectations:
        return False
    if [value.lower() for value in expectations] != [b"100-continue"]:
        raise ExpectationFailed("100-continue")
    return True


def _check_chunked(version: tuple[int, int], fields: ClientFields) -> None:
    codings = fields.values(b"transfer-encoding")
    if fields.values(b"content-length") or len(codings) > 1 or version == (1, 0):
        raise RequestMalformed("one framing")
    if codings[0].lower() != b"chunked":
        raise NotImplementedHere("chunked as the only transfer coding")
