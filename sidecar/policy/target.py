"""Request target → the one path that both policy and backend see (RFC 9112 §3.2).

The bytes forwarded are the bytes judged; nothing is normalised. A path that a server could read as
another path than the one written is ambiguous, and no rule about paths is ever matched with it.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from sidecar.errors import RequestMalformed, TargetTooLarge

MAX_TARGET_BYTES = 8 * 1024
"""RFC 9112 §3 asks for 8000 at least; gunicorn's own limit is 4094 by default."""

# Visible ASCII without `#`: a fragment never travels, and `/public#/../admin` has been read both
# ways (oauth2-proxy GHSA-pxq7).
_ORIGIN_FORM = re.compile(r'/[!"$-~]*')

# A path in its one normal spelling (RFC 3986 §6.2.2): characters that may stand plain stand plain,
# only what may not is percent-encoded, in upper case; no `;` (parameters), no back-slash, no empty
# segment, and no segment that ends in a dot or a space, which leaves no `.` and `..` either.
_PLAIN = r"[A-Za-z0-9_~!$&'()*+,=:@-]"
_ENCODED = r"%(?:22|3C|3E|5B|5D|5E|60|7[BCD]|[89A-F][0-9A-F])"
_SEGMENT = rf"(?:(?:{_PLAIN}|{_ENCODED}|\.|%20)*(?:{_PLAIN}|{_ENCODED}))"
_NORMAL_PATH = re.compile(rf"/(?:{_SEGMENT}/)*{_SEGMENT}?")


class Target(NamedTuple):
    """A request target in origin form.

    A tuple because one is made for every request, in half a frozen dataclass's time.

    Attributes:
        raw: Path and query for the backend, exactly as received.
        path: The part before the first `?`, undecoded; what rules are matched against.
    """

    raw: str
    path: str


def parse_target(method: str, raw: str) -> Target:
    """Read the target of a request to be forwarded.

    `OPTIONS *` asks about the server as a whole and passes; it matches no rule about paths. The
    absolute form is refused: it names a host of its own, and the sidecar is nobody's forward
    proxy.

    Raises:
        TargetTooLarge: More than `MAX_TARGET_BYTES`.
        RequestMalformed: Not origin form (absolute form included: it names a host of its own), a
            fragment, or bytes that must not stand in a target.
    """
    if len(raw) > MAX_TARGET_BYTES:
        raise TargetTooLarge(f"a target of at most {MAX_TARGET_BYTES} bytes")
    if raw == "*" and method == "OPTIONS":
        return Target(raw, raw)
    if _ORIGIN_FORM.fullmatch(raw) is None:
        raise RequestMalformed("a target in origin form, starting with /")
    return Target(raw, raw.partition("?")[0])


def is_ambiguous(path: str) -> bool:
    """Tell whether a server may read `path` as another path than the one written."""
    if _NORMAL_PATH.fullmatch(path) is None:
        return True
    try:
        unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:  # overlong and broken sequences are read differently everywhere
        return True
    return False
