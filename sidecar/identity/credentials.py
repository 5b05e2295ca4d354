"""`Authorization` fields → bearer token. This file finds a token; it does not look inside."""

import re
from collections.abc import Sequence

from sidecar.errors import MultipleTokens, TokenMalformed, TokenTooLarge
from sidecar.model import BearerToken

MAX_TOKEN_BYTES = 8 * 1024
"""Cognito's tokens stay below 5 KiB even with 100 groups; larger is never one of its tokens."""

# The scheme ends at anything that is not a token character (RFC 9110 §5.6.2), so that `Bearer`
# followed by a tab or a comma is still ours to judge and never passes as a foreign scheme.
_BEARER = re.compile(rb"bearer(?![!#$%&'*+.^_`|~0-9a-z-])", re.IGNORECASE)
_PREFIX_BYTES = len(b"Bearer ")


def is_bearer(authorization: bytes) -> bool:
    """Tell whether an `Authorization` value is of the Bearer scheme, in any case."""
    return _BEARER.match(authorization) is not None


def bearer_token(authorization: Sequence[bytes]) -> BearerToken | None:
    """Find the one bearer token of a request. Does not check the token.

    Args:
        authorization: The values of all `Authorization` fields, as received.

    Returns:
        The token, or None if the request presents none (no field, or another scheme).

    Raises:
        MultipleTokens: There is more than one field, whatever their schemes.
        TokenTooLarge: The token exceeds `MAX_TOKEN_BYTES`.
        TokenMalformed: The scheme is Bearer, and no single token follows one space.

    Source: RFC 6750 §2.1, RFC 9110 §11.6.2.
    """
    if not authorization:
        return None
    if len(authorization) > 1:
        raise MultipleTokens("one Authorization field")
    value = authorization[0]
    # Nearly all clients spell it this way; asking the pattern first would take 0.3 µs.
    if not value.startswith(b"Bearer ") and not is_bearer(value):
        return None
    if len(value) > _PREFIX_BYTES + MAX_TOKEN_BYTES:
        raise TokenTooLarge("at most 8 KiB")
    token = value[_PREFIX_BYTES:]
    if value[_PREFIX_BYTES - 1 : _PREFIX_BYTES] != b" " or not token:
        raise TokenMalformed("one token after 'Bearer '")
    return BearerToken(token)
