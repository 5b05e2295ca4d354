"""Ways to cut the same bytes into TCP segments; a parser must not care."""

from collections.abc import Callable, Iterable, Mapping

_MAX_CUTS = 24
_MAX_SINGLE_BYTES = 3000

Way = list[bytes]


def whole(raw: bytes) -> list[Way]:
    """All in one segment."""
    return [[raw]]


def byte_by_byte(raw: bytes) -> list[Way]:
    """Each byte in a segment of its own; of long requests the beginning and the end."""
    half = _MAX_SINGLE_BYTES // 2
    if len(raw) <= _MAX_SINGLE_BYTES:
        return [[raw[i : i + 1] for i in range(len(raw))]]
    head = [raw[i : i + 1] for i in range(half)]
    tail = [raw[i : i + 1] for i in range(len(raw) - half, len(raw))]
    return [[*head, raw[half:-half], *tail]]


def line_by_line(raw: bytes) -> list[Way]:
    """Each line in a segment of its own."""
    return [raw.splitlines(keepends=True)] if b"\n" in raw else [[raw]]


def cut_at_each_boundary(raw: bytes) -> list[Way]:
    """In two segments, cut once at every boundary of a field: colon, CR and LF."""
    boundaries = [i for i in range(1, len(raw)) if raw[i - 1 : i] in b":\r\n"]
    return [[raw[:i], raw[i:]] for i in _spread(boundaries)]


WAYS: Mapping[str, Callable[[bytes], list[Way]]] = {
    "whole": whole,
    "byte-by-byte": byte_by_byte,
    "line-by-line": line_by_line,
    "cut-at-each-boundary": cut_at_each_boundary,
}


def _spread(boundaries: list[int]) -> Iterable[int]:
    if len(boundaries) <= _MAX_CUTS:
        return boundaries
    step = len(boundaries) / _MAX_CUTS
    return (boundaries[int(i * step)] for i in range(_MAX_CUTS))
