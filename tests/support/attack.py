"""Attacks as data: exact bytes, and what must come of them. A new attack is a new row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

MARK = b"ca7a7y"
"""Stands in every attack; must stand in no answer of the sidecar's own."""

NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"
"""A harmless request, to be sent right after: it shows where the one before has ended."""

TOKEN = b"%TOKEN%"
"""In an attack's bytes: a good access token of `mint.SUB`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that must be answered by the sidecar itself, and never reach the backend.

    Attributes:
        name: Of the attack, for the test's id.
        request: Exact bytes, `%TOKEN%` excepted.
        statuses: Acceptable answers.
        reasons: Acceptable reasons; empty for any of the contract.
        closes: The connection must be closed too.
    """

    name: str
    request: bytes
    statuses: tuple[int, ...] = (400,)
    reasons: tuple[str, ...] = ()
    closes: bool = True


@dataclass(frozen=True, slots=True)
class Carried:
    """Bytes that must reach the backend as exactly one request.

    Attributes:
        name: Of the attack, for the test's id.
        request: Exact bytes, `%TOKEN%` excepted.
        target, method, body: What the backend must see.
        has: Fields that the backend must see, each exactly once, with their values.
        lacks: Lower-case names that the backend must not see.
    """

    name: str
    request: bytes
    target: bytes = b"/" + MARK
    method: bytes = b"GET"
    body: bytes = b""
    has: tuple[tuple[bytes, bytes], ...] = ()
    lacks: tuple[bytes, ...] = ()


def request(
    *lines: bytes,
    method: bytes = b"GET",
    target: bytes = b"/" + MARK,
    version: bytes = b"HTTP/1.1",
    body: bytes = b"",
    host: bytes | None = b"site.example",
) -> bytes:
    """Write a request with exactly these field lines after `Host`."""
    hosts = [] if host is None else [b"Host: " + host]
    start = b" ".join((method, target, version))
    return b"\r\n".join([start, *hosts, *lines, b"", body])


def post(*lines: bytes, body: bytes = b"") -> bytes:
    """Write a POST with exactly these field lines, framing included."""
    return request(*lines, method=b"POST", body=body)


Row = TypeVar("Row", Refused, Carried)

BEARER = b"Authorization: Bearer " + TOKEN


def by_name(attacks: Iterable[Row]) -> dict[str, Row]:
    """Index a table by the names of its rows, which must differ."""
    table: dict[str, Row] = {}
    for attack in attacks:
        assert attack.name not in table, f"two rows named {attack.name}"
        table[attack.name] = attack
    return table
