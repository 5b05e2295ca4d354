"""Signed claims → verified claims, at a given time. This file decides; it reads no clock."""

from dataclasses import dataclass

from sidecar.errors import (
    ClaimError,
    ClaimInvalid,
    ClaimMissing,
    ClientMismatch,
    IssuerMismatch,
    TokenError,
    TokenExpired,
    TokenNotYetValid,
    TokenUseMismatch,
)
from sidecar.model import Claims, SignedClaims, VerifiedClaims

LEEWAY_S = 10
"""How far Cognito's clock may be ahead of ours. None is given to `exp`: expired is expired."""

MAX_LIFETIME_S = 24 * 3600 + 60
"""The longest a Cognito access or id token may live (24 h), and a minute for rounding."""

_CLIENT_CLAIM = {"access": "client_id", "id": "aud"}

USERNAME_CLAIM = {"access": "username", "id": "cognito:username"}
"""By token use. Absent from the token of a client that acts for itself (client credentials)."""

_TEXT_IF_PRESENT = ("scope", "jti")
_NUMBER = (int, float)


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the claims of one pool must say.

    Attributes:
        issuers: Accepted `iss` values, compared exactly.
        clients: Accepted app clients; None accepts every client of the pool.
        token_uses: Accepted kinds: `access`, `id`, or both.
    """

    issuers: frozenset[str]
    clients: frozenset[str] | None
    token_uses: frozenset[str]


def check_claims(signed: SignedClaims, rules: ClaimRules, now: float) -> VerifiedClaims:
    """Accept claims only if every rule holds at `now`. Does not check the signature.

    Args:
        signed: Payload of a token whose signature already holds.
        rules: What this pool accepts.
        now: Seconds since the epoch (UTC).

    Raises:
        IssuerMismatch: `iss` is not one of the pool's issuers.
        TokenUseMismatch: `token_use` is not accepted.
        ClientMismatch: The token is for another app client.
        TokenExpired: `exp` is at or before `now`.
        TokenNotYetValid: `nbf` or `iat` is ahead by more than `LEEWAY_S`.
        ClaimMissing: `iss`, `token_use`, `sub`, `exp` or the client is absent.
        ClaimInvalid: One of these or the user name is blank or of the wrong type, `scope` or `jti`
            is no text, or the token lives longer than Cognito allows.

    Source: RFC 7519 §4.1; Amazon Cognito developer guide, "Verifying JSON web tokens".
    """
    claims = signed.claims
    token_use, expires_at = _check(claims, rules, now)
    return VerifiedClaims(claims, token_use, expires_at)


def fault_of(claims: Claims, rules: ClaimRules, now: float) -> TokenError | None:
    """Return what `check_claims` would find wrong, or None. It proves nothing, signed or not.

    For explaining a token: claims may be held against the rules one by one, the others made up.
    """
    try:
        _check(claims, rules, now)
    except TokenError as error:
        return error
    return None


def _check(claims: Claims, rules: ClaimRules, now: float) -> tuple[str, float]:
    if issuer_of(claims) not in rules.issuers:
        raise IssuerMismatch(" or ".join(sorted(rules.issuers)))
    token_use = _text(claims, "token_use")
    if token_use not in rules.token_uses or token_use not in _CLIENT_CLAIM:
        raise TokenUseMismatch(" or ".join(sorted(rules.token_uses)))
    _check_client(claims, token_use, rules.clients)
    _text(claims, "sub")
    if USERNAME_CLAIM[token_use] in claims:
        _text(claims, USERNAME_CLAIM[token_use])
    for name in _TEXT_IF_PRESENT:
        if not isinstance(claims.get(name, ""), str):
            raise ClaimInvalid(name, f"{name} as text")
    return token_use, _check_times(claims, now)


def issuer_of(claims: Claims) -> str:
    """Read `iss`, which also serves to find the pool of a token not yet verified.

    Raises:
        ClaimMissing: It is absent.
        ClaimInvalid: It is not text.
    """
    return _text(claims, "iss")


def _check_client(claims: Claims, token_use: str, accepted: frozenset[str] | None) -> None:
    _text(claims, _CLIENT_CLAIM[token_use])
    # Both may be present (an access token bound to a resource has `aud`): then both must fit, for
    # a token that names another audience is not meant for us.
    for name in _CLIENT_CLAIM.values():
        if name not in claims:
            continue
        client = _text(claims, name)
        if accepted is not None and client not in accepted:
            raise ClientMismatch(f"an accepted app client as {name}")


def _check_times(claims: Claims, now: float) -> float:
    expires_at = _number(claims, "exp")
    if now >= expires_at:
        raise TokenExpired("exp after now")
    _begun_at(claims, "nbf", now)
    # Without `iat` the token may have been issued just now, and no later.
    if expires_at - _begun_at(claims, "iat", now) > MAX_LIFETIME_S:
        raise ClaimInvalid("exp", f"at most {MAX_LIFETIME_S} s after iat")
    return expires_at


def _begun_at(claims: Claims, name: str, now: float) -> float:
    if name not in claims:
        return now
    moment = _number(claims, name)
    if moment > now + LEEWAY_S:
        raise TokenNotYetValid(f"{name} at most {LEEWAY_S} s ahead of now")
    return moment


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _fault(claims, name, f"{name} as text that is not blank")
    return value


def _number(claims: Claims, name: str) -> float:
    value = claims.get(name)
    # bool is an int to Python, not to JSON; strict_json has refused NaN and Infinity.
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or value < 0:
        raise _fault(claims, name, f"{name} as seconds since the epoch")
    return value


def _fault(claims: Claims, name: str, expected: str) -> ClaimError:
    if name not in claims:
        return ClaimMissing(name, f"the claim {name}")
    return ClaimInvalid(name, expected)
