"""Claim value → header value, so that the backend can have back exactly what the claim said.

`urllib.parse.unquote(header)` is the claim's text again (of a list or a number: its JSON), for all
that gets through: plain ASCII stands as it is, everything else as percent-encoded UTF-8. An ASCII
text that already looks percent-encoded is encoded too, or the user named `%C3%A9ric` would be the
user named `éric`.
"""

import json
import re
from urllib.parse import quote

from sidecar.errors import ClaimInvalid

MAX_VALUE_BYTES = 4096
"""Encoded. gunicorn refuses fields above 8190 bytes, which would turn a good token into a 400."""

# Lone surrogates have no UTF-8; strict_json keeps them out already, and this does not rely on it.
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


def encode_value(claim: str, value: object) -> bytes:
    """Make a header value of a claim's value: text, a list of texts, a number or a boolean.

    Args:
        claim: The claim's name, for the error.
        value: As JSON gave it. A list, a number and a boolean become compact JSON.

    Returns:
        Printable ASCII without white space at either end, never empty, at most `MAX_VALUE_BYTES`.

    Raises:
        ClaimInvalid: A control character, nothing but white space, null or an object, a list of
            anything but texts, or too long.
    """
    text = value if isinstance(value, str) else _to_json(claim, value)
    encoded = text.encode("ascii") if _is_plain(text) else _percent_encode(claim, text)
    if len(encoded) > MAX_VALUE_BYTES:
        raise ClaimInvalid(claim, f"at most {MAX_VALUE_BYTES} bytes as a header")
    return encoded


def _to_json(claim: str, value: object) -> str:
    if isinstance(value, list):
        for item in value:
            if not isinstance(item, str) or _UNUSABLE.search(item):
                raise ClaimInvalid(claim, "a list of texts without control characters")
    elif not isinstance(value, int | float):
        raise ClaimInvalid(claim, "text, a list of texts, a number or a boolean")
    return json.dumps(value, separators=(",", ":"))


def _is_plain(text: str) -> bool:
    # Methods instead of one expression to match: a third of the time, for every new token.
    return (
        text.isascii()
        and text.isprintable()
        and text == text.strip()
        and text != ""
        and not ("%" in text and _PERCENT_ENCODED.search(text))
    )


def _percent_encode(claim: str, text: str) -> bytes:
    if _UNUSABLE.search(text) or not text.strip():
        raise ClaimInvalid(claim, "text that is not blank and has no control characters")
    return quote(text, safe="").encode("ascii")
