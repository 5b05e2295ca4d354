"""Claim value → header value, so that the backend can have back exactly what the claim said.

`urllib.parse.unquote(header)` is the claim's text again, for every text that gets through: plain
ASCII stands as it is, everything else as percent-encoded UTF-8. An ASCII text that already looks
percent-encoded is encoded too, or the user named `%C3%A9ric` would be the user named `éric`.
"""

import json
import re
from urllib.parse import quote

from sidecar.errors import ClaimInvalid

MAX_VALUE_BYTES = 4096
"""Encoded. gunicorn refuses fields above 8190 bytes, which would turn a good token into a 400."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STANDS_AS_IT_IS = re.compile(r"(?!.*%[0-9A-Fa-f]{2})[!-~](?:[ -~]*[!-~])?")


def encode_value(claim: str, value: object) -> bytes:
    """Make a header value of a claim's value: text, a list (as a JSON array) or a number.

    Args:
        claim: The claim's name, for the error.
        value: As JSON gave it.

    Returns:
        Printable ASCII without white space at either end, never empty, at most `MAX_VALUE_BYTES`.

    Raises:
        ClaimInvalid: A control character, nothing but white space, a type that has no encoding, or
            too long.
    """
    encoded = _text(claim, value).encode("ascii")
    if len(encoded) > MAX_VALUE_BYTES:
        raise ClaimInvalid(claim, f"at most {MAX_VALUE_BYTES} bytes as a header")
    return encoded


def _text(claim: str, value: object) -> str:
    if isinstance(value, str):
        return _encode_text(claim, value)
    if isinstance(value, list):
        return _encode_list(claim, value)
    if isinstance(value, int | float):
        return json.dumps(value)
    raise ClaimInvalid(claim, "text, a list of texts or a number")


def _encode_list(claim: str, values: list[object]) -> str:
    for value in values:
        if not isinstance(value, str) or _CONTROL.search(value):
            raise ClaimInvalid(claim, "a list of texts without control characters")
    return json.dumps(values, separators=(",", ":"))


def _encode_text(claim: str, text: str) -> str:
    if _CONTROL.search(text) or not text.strip():
        raise ClaimInvalid(claim, "text that is not blank and has no control characters")
    return text if _STANDS_AS_IT_IS.fullmatch(text) else quote(text, safe="")
