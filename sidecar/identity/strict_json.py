"""Bytes → JSON object, strictly: what two readers could read differently is refused."""

import json
import math
import re
from itertools import accumulate
from typing import NoReturn

MAX_DEPTH = 8
"""Cognito's payloads nest two levels; deeper only serves to exhaust a reader."""

MAX_INTEGER_DIGITS = 19
"""The digits of 2^63; int() on thousands of digits is quadratic, and no claim needs them."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STEP = {ord(b"["): 1, ord(b"{"): 1, ord(b"]"): -1, ord(b"}"): -1}


def parse_object(document: bytes, max_depth: int = MAX_DEPTH) -> dict[str, object]:
    """Parse one JSON object (RFC 8259) that every reader must understand alike.

    Args:
        document: The bytes; at most a few hundred KiB, which the caller ensures.
        max_depth: How many arrays and objects may be open at once.

    Raises:
        ValueError: Not UTF-8, not an object, a byte order mark, a duplicate name at any depth, NaN
            or Infinity (a number that overflows into it too), a lone surrogate, an integer of more
            than `MAX_INTEGER_DIGITS` digits, or more than `max_depth` levels.
    """
    _check_depth(document, max_depth)
    value = _DECODER.decode(document.decode("utf-8"))
    if not isinstance(value, dict):
        msg = "not a JSON object"
        raise ValueError(msg)  # noqa: TRY004 - to the caller every bad document is one kind of error
    # UTF-8 cannot hold a lone surrogate, but the escape \ud800 can make one.
    if b"\\u" in document:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _check_depth(document: bytes, max_depth: int) -> None:
    opened = document.count(b"[") + document.count(b"{")
    if opened <= max_depth:
        return
    structure = _STRING.sub(b"", document)
    deepest = max(accumulate(_STEP.get(byte, 0) for byte in structure), default=0)
    if deepest > max_depth:
        msg = "nested too deeply"
        raise ValueError(msg)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        msg = "duplicate name"
        raise ValueError(msg)
    return members


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS:
        msg = "integer too long"
        raise ValueError(msg)
    return int(digits)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        msg = "number too large"
        raise ValueError(msg)
    return value


def _constant(_name: str) -> NoReturn:
    msg = "NaN and Infinity are not JSON"
    raise ValueError(msg)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_constant,
)
