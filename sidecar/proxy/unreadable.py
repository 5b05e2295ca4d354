"""What aiohttp could not read → our error. Pure; its own words quote the client, ours do not."""

import re

from aiohttp.http_exceptions import BadStatusLine, InvalidURLError, LineTooLong

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
from sidecar.proxy.framing import METHODS, NEVER

_TOO_MANY = ("Too many headers received",)  # aiohttp gives it no class of its own

_OTHER_VERSION = re.compile(rb"[A-Z]+ [!-~]+ HTTP/(?!1\.[01][^0-9])[0-9]+(?:\.[0-9]*)?(?:\r|\Z)")

# llhttp takes `GET / RTSP/1.0` for HTTP/1.0 and does not tell.
_OTHER_PROTOCOL = re.compile(rb"[A-Z]+ +[!-~]+ +(?!HTTP/| )")

_METHODS = tuple(method.encode() + b" " for method in sorted(METHODS | NEVER))
_METHOD_BYTE = re.compile(rb"[!#-'*+.A-Z^-z|~ -]")


def is_foreign(head: bytes) -> bool:
    """Tell whether a head speaks another protocol than HTTP, though it could be parsed."""
    head = head.lstrip(b"\r\n")  # as the parser does (RFC 9112 §2.2)
    if head.find(b" HTTP/1.", 0, head.find(b"\r")) > 0:  # a third of the pattern's time
        return False
    return _OTHER_PROTOCOL.match(head) is not None


def explain(error: BaseException | None, head: bytes) -> RequestError:
    """Translate an error of aiohttp's parser.

    Args:
        error: As aiohttp raised it.
        head: What came of the request, as far as it was kept.
    """
    if isinstance(error, LineTooLong) and error.args[1] == MAX_TARGET_BYTES:
        return TargetTooLarge(f"a target of at most {MAX_TARGET_BYTES} bytes")
    if isinstance(error, LineTooLong) or (error and error.args == _TOO_MANY):
        return FieldsTooLarge("smaller fields, or fewer")
    if isinstance(error, BadStatusLine) and _has_unknown_method(head):
        return NotImplementedHere("a method of RFC 9110 or RFC 5789")
    if isinstance(error, BadStatusLine) and _OTHER_VERSION.match(head):
        return VersionNotSupported("HTTP/1.1")
    if isinstance(error, InvalidURLError) and error.args == ("*",):
        return MethodNotAllowed("OPTIONS, the only method for *")
    return RequestMalformed("a request of HTTP/1.1")


def _has_unknown_method(head: bytes) -> bool:
    """Tell a method that is only unknown from bytes that are no method, by the first wrong byte.

    aiohttp stops there, so that what comes behind it may not have arrived.
    """
    end = 0
    while any(method.startswith(head[: end + 1]) for method in _METHODS) and end < len(head):
        end += 1
    is_begun = end > 0 or not head.startswith(b" ")
    return is_begun and not head[:end].endswith(b" ") and bool(_METHOD_BYTE.match(head, end))
