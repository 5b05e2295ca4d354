"""Why a token that we accept may be refused by others: the written list, and nothing else counts.

Each entry names who refuses, says why we do not, and tells from the token whether it applies.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.identity import base64url
from tests.support import mint

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reason:
    """One allowed difference.

    Attributes:
        oracles: Who refuses.
        text: What we accept, and why.
        applies: Tells it from header and claims.
    """

    oracles: frozenset[str]
    text: str
    applies: Callable[[Document, Document], bool]


def _is_ahead(claims: Document, *names: str) -> bool:
    return any(mint.NOW < claims.get(name, 0) <= mint.NOW + 10 for name in names)


REASONS: tuple[Reason, ...] = (
    Reason(
        frozenset({"aws-jwt-verify", "jose"}),
        "nbf up to 10 s ahead: Cognito's clock may be ahead of ours (they are set to no leeway)",
        lambda _, claims: _is_ahead(claims, "nbf"),
    ),
    Reason(
        frozenset({"PyJWT", "joserfc"}),
        "iat or nbf up to 10 s ahead: Cognito's clock may be ahead of ours (set to no leeway)",
        lambda _, claims: _is_ahead(claims, "iat", "nbf"),
    ),
    Reason(
        frozenset({"PyJWT"}),
        "exp within the current second: it cuts fractions off, we compare exactly",
        lambda _, claims: mint.NOW < claims["exp"] < mint.NOW + 1,
    ),
    Reason(
        frozenset({"joserfc"}),
        "header parameters that are unknown or never read, of any type (RFC 7515 §4: ignored)",
        lambda header, _: not header.keys() <= {"alg", "kid", "typ"},
    ),
)


def explain(oracle: str, token: bytes) -> str:
    """Return why `oracle` may refuse a token that we accept; empty if the list does not say."""
    header, claims = (json.loads(base64url.decode(part)) for part in token.split(b".")[:2])
    for reason in REASONS:
        if oracle in reason.oracles and reason.applies(header, claims):
            return reason.text
    return ""
