"""Message heads as bytes: as many lines as there are fields, whatever is in them. Pure."""

from collections.abc import Iterable
from http import HTTPStatus

from sidecar.errors import HeaderInvalid
from sidecar.model import Field

_COLON = b": "


def serialise(start_line: bytes, fields: Iterable[Field]) -> bytes:
    """Write a message head without its empty line.

    Raises:
        HeaderInvalid: A field contains a line break, which would make two fields of one. The
            parsers in front exclude it; this makes sure of it whatever they do.
    """
    return _write([start_line, *map(_COLON.join, fields)])


def extend(head: bytes, fields: Iterable[Field]) -> bytes:
    """Add fields to a head that `serialise` wrote; raises as that does."""
    return head + _write([*map(_COLON.join, fields)])


def _write(lines: list[bytes]) -> bytes:
    written = b"".join(lines)
    # Looking for a byte by its number takes a third of looking for it as a text of one.
    if _LF in written or _CR in written or _NUL in written:
        raise HeaderInvalid("fields without line breaks")
    lines.append(b"")
    return b"\r\n".join(lines)


_LF, _CR, _NUL = b"\n\r\0"


def status_line(status: int, phrase: bytes | None = None) -> bytes:
    """Write the first line of a response; the phrase of RFC 9110 where none is given."""
    if phrase is None:
        phrase = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %b" % (status, phrase)
