"""Asks both ways and tells what differs. Nothing may, but for what DESIGN §4 and §6 say."""

import re
from dataclasses import dataclass

from tests.integration.differential.conftest import Pair
from tests.support.raw_client import converse

HOST = b"site.example"

# What the sidecar tells every backend; told directly too, so that echoes are equal.
_TOLD = (
    b"X-Forwarded-For: 127.0.0.1",
    b"X-Forwarded-Proto: http",
    b"X-Forwarded-Host: " + HOST,
)
_REQUEST_ID = b"X-Request-Id: differential"

# `Date` and `Connection` belong to one hop; the framing may differ, the body may not.
_MAY_DIFFER = frozenset({b"date", b"connection", b"keep-alive", b"transfer-encoding"})
_ADDED = frozenset({b"x-cognito-auth", b"x-request-id"})

_VOLATILE = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}"
    rb"|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [0-9:]{8} GMT"
)


@dataclass(frozen=True, slots=True)
class Question:
    """One request, without what both ways need anyway.

    Attributes:
        method, target: As sent.
        lines: Further fields.
        body: As sent, framed by what `lines` say.
        is_volatile: Ids, digests and dates in the answer differ from one time to the next.
    """

    method: str
    target: str
    lines: tuple[bytes, ...] = ()
    body: bytes = b""
    is_volatile: bool = False

    def __str__(self) -> str:
        """Name the test."""
        return f"{self.method} {self.target[:60]}" + "+" * len(self.lines)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response as it stood on the wire, its framing undone."""

    status_line: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes


async def assert_equal(pair: Pair, question: Question) -> None:
    """The sidecar changes nothing that the client could see."""
    start = f"{question.method} {question.target} HTTP/1.1".encode("latin-1")
    common = (b"Host: " + HOST, *question.lines)
    ends = (_REQUEST_ID, b"", question.body)
    is_head = question.method == "HEAD"
    plain = b"\r\n".join((start, *common, *ends))
    told = b"\r\n".join((start, *common, *_TOLD, *ends))
    direct = _read((await converse(pair.direct, [told], count=1, is_head=is_head)).received)
    through = _read((await converse(pair.through, [plain], count=1, is_head=is_head)).received)
    added = [name.lower() for name, _ in through.fields if name.lower() in _ADDED]
    assert sorted(added) == sorted(_ADDED)
    assert through.status_line == direct.status_line
    assert _comparable(through, question) == _comparable(direct, question)


def _comparable(reply: Reply, question: Question) -> tuple[list[tuple[bytes, bytes]], bytes]:
    gone = _MAY_DIFFER | _ADDED
    fields = [(name, value) for name, value in reply.fields if name.lower() not in gone]
    # Where and in which case the length is said does not matter; it is the same.
    lengths = [(b"content-length", v) for name, v in fields if name.lower() == b"content-length"]
    fields = [pair for pair in fields if pair[0].lower() != b"content-length"] + lengths
    if not question.is_volatile:
        return fields, reply.body
    masked = [(name, _VOLATILE.sub(b"*", value)) for name, value in fields]
    return masked, _VOLATILE.sub(b"*", reply.body)


def _read(received: bytes) -> Reply:
    head, end, body = received.partition(b"\r\n\r\n")
    assert end, f"no response: {received!r}"
    line, *lines = head.split(b"\r\n")
    version, _, rest = line.partition(b" ")
    assert version in (b"HTTP/1.1", b"HTTP/1.0")
    fields = []
    for text in lines:
        name, _, value = text.partition(b":")
        fields.append((name, value.strip()))
    is_chunked = any(name.lower() == b"transfer-encoding" for name, _ in fields)
    if is_chunked and body:
        body = _dechunk(body)
    return Reply(rest, fields, body)


def _dechunk(raw: bytes) -> bytes:
    body = b""
    while True:
        size, end, rest = raw.partition(b"\r\n")
        assert end, "chunks that break off"
        length = int(size, 16)
        if length == 0:
            assert rest == b"\r\n"
            return body
        body += rest[:length]
        raw = rest[length + 2 :]
