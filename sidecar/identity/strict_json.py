"""Bytes → JSON object, strictly: what two readers could read differently is refused."""

import json
import math
import re
from typing import NoReturn

MAX_DEPTH = 8
"""Cognito's payloads nest two levels; deeper only serves to exhaust a reader."""

MAX_INTEGER_DIGITS = 19
"""The digits of 2^63; int() on thousands of digits is quadratic, and no claim needs them."""

_WHITE_SPACE = " \t\n\r"  # RFC 8259 §2

# An unfinished string matches to the end, whatever it ends with. Were it left unmatched, every
# quote in it would be tried as the start of another string: 100 ms for 6 KiB of escaped quotes.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)

_BRACKET = ord("[")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


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
    text = document.decode("utf-8").strip(_WHITE_SPACE)
    value, end = _DECODER.raw_decode(text)
    if end != len(text) or not isinstance(value, dict):
        msg = "not one JSON object"
        raise ValueError(msg)
    # UTF-8 cannot hold a lone surrogate, but the escape \ud800 can make one.
    if "\\" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _check_depth(document: bytes, max_depth: int) -> None:
    # Before parsing, for Python's parser recurses: 100 000 levels crash it, or us.
    # A flat object, as most payloads are, shows in a tenth of the time that counting takes.
    is_flat = document.rfind(b"{") <= 0 and _BRACKET not in document
    if is_flat or document.count(b"[") + document.count(b"{") <= max_depth:
        return
    brackets = _STRING.sub(b"", document).translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(max_depth):
        brackets = brackets.replace(b"[]", b"")  # takes the innermost level away
    if brackets:
        msg = "nested too deeply, or unbalanced"
        raise ValueError(msg)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        msg = "duplicate name"
        raise ValueError(msg)
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS and len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS:
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
