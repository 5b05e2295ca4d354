"""Reads what a backend was sent, and accepts one spelling only.

Written apart from the product and from every library: whatever is not the plainest possible
HTTP/1.1 is an assertion error here, so that no two servers can disagree about what passes.
"""

import re
from dataclasses import dataclass

_REQUEST_LINE = re.compile(rb"([A-Z]+) ((?:/[!\"$-~]*)|\*) HTTP/1\.1")
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^`|~0-9A-Za-z-]+): ([!-~\x80-\xff](?:[\t -~\x80-\xff]*))?")
_FOLDED = re.compile(r"[^A-Z0-9]")
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,17}")
_CHUNK_SIZE = re.compile(rb"[1-9a-f][0-9a-f]{0,7}|0")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it stood on the wire.

    Attributes:
        method: As sent.
        target: As sent.
        fields: Names and values as sent, in order.
        body: Without its framing.
        is_complete: The body has come to its end.
        length: Of head and body on the wire, in bytes.
    """

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    is_complete: bool
    length: int

    def values(self, name: bytes) -> list[bytes]:
        """Return all values of a field by its lower-case name."""
        return [value for field_name, value in self.fields if field_name.lower() == name]


def read_requests(raw: bytes) -> list[Sent]:
    """Read all requests of one connection; the last may be cut short anywhere.

    Raises:
        AssertionError: Something is not in its one plain spelling.
    """
    requests = []
    while raw:
        head, end, rest = raw.partition(b"\r\n\r\n")
        if not end:
            break
        method, target, fields = _read_head(head)
        body, rest, is_complete = _read_body(fields, rest)
        length = len(raw) - len(rest)
        requests.append(Sent(method, target, fields, body, is_complete, length))
        raw = rest
    return requests


def fold(name: bytes) -> str:
    """Name a field the way applications behind CGI, WSGI and their kind look it up.

    WSGI folds `-` into `_`; lighttpd and old Apaches fold whatever is no letter or digit.
    """
    return "HTTP_" + _FOLDED.sub("_", name.decode("latin-1").upper())


def _read_head(head: bytes) -> tuple[bytes, bytes, tuple[tuple[bytes, bytes], ...]]:
    start, *lines = head.split(b"\r\n")
    line = _REQUEST_LINE.fullmatch(start)
    assert line, f"not a plain request line: {start!r}"
    fields = []
    for text in lines:
        match = _FIELD_LINE.fullmatch(text)
        assert match, f"not a plain field line: {text!r}"
        assert not text.endswith((b" ", b"\t")) or not match[2], f"white space at the end: {text!r}"
        fields.append((match[1], match[2] or b""))
    return line[1], line[2], tuple(fields)


def _read_body(fields: tuple[tuple[bytes, bytes], ...], raw: bytes) -> tuple[bytes, bytes, bool]:
    framing = [
        (name.lower(), value)
        for name, value in fields
        if fold(name) in ("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")
    ]
    assert len(framing) <= 1, f"more than one framing: {framing!r}"
    if not framing:
        return b"", raw, True
    name, value = framing[0]
    if name == b"transfer-encoding":
        assert value == b"chunked", f"not plainly chunked: {value!r}"
        return _read_chunks(raw)
    assert name == b"content-length", f"not plainly a length: {name!r}"
    assert _LENGTH.fullmatch(value), f"not a plain length: {value!r}"
    length = int(value)
    return raw[:length], raw[length:], len(raw) >= length


def _read_chunks(raw: bytes) -> tuple[bytes, bytes, bool]:
    body = b""
    while True:
        size, end, rest = raw.partition(b"\r\n")
        if not end:
            return body, b"", False
        assert _CHUNK_SIZE.fullmatch(size), f"not a plain chunk size: {size!r}"
        length = int(size, 16)
        if len(rest) < length + 2:
            return body + rest[:length], b"", False
        assert rest[length : length + 2] == b"\r\n", "a chunk that does not end, or a trailer"
        body += rest[:length]
        raw = rest[length + 2 :]
        if length == 0:
            return body, raw, True
