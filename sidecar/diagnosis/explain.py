"""A token, check by check: what was expected, what it says, which check fails first. Pure.

Each check is made by the function that makes it for a request; this file only makes them one by one
and words what came of it. It never shows the signature or the token.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sidecar.errors import (
    AlgorithmNotAllowed,
    ClaimInvalid,
    IssuerMismatch,
    KeysUnavailable,
    KeyUnknown,
    SidecarError,
    SignatureInvalid,
    TokenError,
)
from sidecar.identity import base64url
from sidecar.identity.authenticator import Authenticator, Pool
from sidecar.identity.claims import LEEWAY_S, MAX_LIFETIME_S, USERNAME_CLAIM, ClaimRules, fault_of
from sidecar.identity.credentials import MAX_TOKEN_BYTES
from sidecar.identity.field_values import encode_value
from sidecar.identity.strict_json import parse_object
from sidecar.identity.token import UnverifiedToken, parse_token, verify_signature
from sidecar.model import BearerToken, Claims, Identity

_ACCESS = frozenset({"access"})  # whose client is named by `client_id`; an id token has `aud`

_TIMES = frozenset({"exp", "iat", "nbf"})
_YEAR_2100 = 4_102_444_800  # beyond it a number is no time, and may be none that a calendar knows

MAX_SHOWN = 120
"""Characters of a token's value that are shown; what is longer is never what was expected."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a token.

    Attributes:
        name: What is checked.
        expected: In words.
        actual: What the token says, safe to print; empty if nothing can be said.
        reason: Why it fails; empty if it holds.
        is_made: False if an earlier failure leaves nothing to check.
    """

    name: str
    expected: str
    actual: str = ""
    reason: str = ""
    is_made: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be said about a token.

    Attributes:
        checks: In the order in which a request's token is checked.
        outcome: The identity that it proves, or the error that a request would get.
        time_left_s: Until it expires; negative afterwards; None if it does not say.
    """

    checks: tuple[Check, ...]
    outcome: Identity | SidecarError
    time_left_s: float | None

    @property
    def reason(self) -> str:
        """Why the token is not accepted; empty if it is."""
        return self.outcome.reason if isinstance(self.outcome, SidecarError) else ""


def explain(
    token: bytes, pools: Sequence[Pool], headers: Mapping[str, str], now: float
) -> Explanation:
    """Make every check of a token.

    Args:
        token: As it stands after `Bearer `.
        pools: Whose rules and keys it is held against.
        headers: Header name → claim name.
        now: Seconds since the epoch.
    """
    outcome = _outcome(BearerToken(token), pools, headers, now)
    claims = _claims(token)
    checks = _checks(BearerToken(token), pools, headers, now)
    return Explanation(tuple(checks), outcome, _time_left_s(claims, now))


def show(value: object) -> str:
    """Write a value that a token chose, so that a terminal and a log can bear it."""
    text = json.dumps(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"


def _outcome(
    token: BearerToken, pools: Sequence[Pool], headers: Mapping[str, str], now: float
) -> Identity | SidecarError:
    try:
        return Authenticator(pools, headers).authenticate(token, now)
    except SidecarError as error:
        return error


def _checks(
    token: BearerToken, pools: Sequence[Pool], headers: Mapping[str, str], now: float
) -> list[Check]:
    form, parsed = _check_form(token)
    claims = _claims(token)
    pool = _pool_of(claims, pools)
    checks = [*form, _check_issuer(claims, pools)]
    checks += _check_signature(parsed, pool)
    # Without its own pool, the rules of the only one still tell most.
    held_against = pool or (pools[0] if len(pools) == 1 else None)
    if not claims or held_against is None:
        return [*checks, Check("claims", "claims of one of the pools", is_made=False)]
    checks += _check_claims(claims, held_against.rules, now)
    checks += _check_headers(claims, headers)
    return checks


def _check_form(token: BearerToken) -> tuple[list[Check], UnverifiedToken | None]:
    algorithm = Check("alg", "RS256", show(_header(token).get("alg")))
    size = f"{token.count(b'.') + 1} parts, {len(token)} bytes"
    whole = "three parts of canonical base64url and strict JSON, at most 8 KiB"
    try:
        parsed = parse_token(token)
    except AlgorithmNotAllowed as error:
        wrong = Check("alg", "RS256", algorithm.actual, error.reason)
        return [Check("form", whole, size), wrong], None
    except TokenError as error:
        return [Check("form", error.expected or whole, size, error.reason), algorithm], None
    return [Check("form", whole, size), algorithm], parsed


def _check_issuer(claims: Claims, pools: Sequence[Pool]) -> Check:
    expected = " or ".join(sorted(issuer for pool in pools for issuer in pool.rules.issuers))
    if not claims:
        return Check("iss", expected, is_made=False)
    actual = show(claims.get("iss"))
    if _pool_of(claims, pools) is not None:
        return Check("iss", expected, actual)
    issuers = frozenset(issuer for pool in pools for issuer in pool.rules.issuers)
    fault = _fault_of_issuer(claims, ClaimRules(issuers, None, frozenset({"access"})))
    return Check("iss", expected, actual, fault.reason)


def _fault_of_issuer(claims: Claims, rules: ClaimRules) -> TokenError:
    alone = {name: claims[name] for name in ("iss",) if name in claims}
    return fault_of(alone, rules, 0.0) or IssuerMismatch()


def _check_signature(parsed: UnverifiedToken | None, pool: Pool | None) -> list[Check]:
    by_key = "by the key that kid names"
    if parsed is None or pool is None:
        return [
            Check("kid", "a key of the pool", is_made=False),
            Check("signature", by_key, is_made=False),
        ]
    kid = show(parsed.unverified_kid)
    try:
        keys = pool.keys.current()
    except KeysUnavailable as error:
        return [
            Check("kid", "a key of the pool, which gives none", kid, error.reason),
            Check("signature", by_key, is_made=False),
        ]
    expected = " or ".join(show(name) for name in sorted(keys))
    key = keys.get(parsed.unverified_kid)
    if key is None:
        reason = KeyUnknown.reason
        return [Check("kid", expected, kid, reason), Check("signature", by_key, is_made=False)]
    try:
        verify_signature(parsed, key)
    except SignatureInvalid as error:
        return [
            Check("kid", expected, kid),
            Check("signature", by_key, "by another key", error.reason),
        ]
    return [Check("kid", expected, kid), Check("signature", by_key, "as expected")]


def _check_claims(claims: Claims, rules: ClaimRules, now: float) -> list[Check]:
    use = claims.get("token_use")
    token_use = use if isinstance(use, str) and use in rules.token_uses else min(rules.token_uses)
    client = "client_id" if token_use in _ACCESS else "aud"
    username = USERNAME_CLAIM[token_use]
    clients = "any text" if rules.clients is None else " or ".join(sorted(rules.clients))
    late = f"at most {LEEWAY_S} s ahead of now, {_show_time(now)}"
    made_up: Claims = {
        "iss": min(rules.issuers),
        "token_use": token_use,
        client: min(rules.clients) if rules.clients else "any",
        "sub": "any",
        "exp": now + 60,
    }

    def check(name: str, expected: str, *names: str) -> Check:
        said = {claim: claims[claim] for claim in names if claim in claims}
        held = {**said, "exp": _soon(said["exp"], now)} if names == ("exp",) and said else said
        rest = {claim: value for claim, value in made_up.items() if claim not in names}
        fault = fault_of({**rest, **held}, rules, now)
        actual = ", ".join(_show_claim(*pair) for pair in said.items()) or "absent"
        return Check(name, expected, actual, fault.reason if fault is not None else "")

    checks = [
        check("token_use", " or ".join(sorted(rules.token_uses)), "token_use"),
        check(client, clients, "client_id", "aud"),
        check("sub", "text that is not blank", "sub"),
        check(username, "text that is not blank, or absent", username),
        check("exp", f"after now, {_show_time(now)}", "exp"),
    ]
    times = [check(name, late, name) for name in ("nbf", "iat") if name in claims]
    checks += times
    if not any(made.reason for made in (checks[4], *times)):
        lifetime = check("lifetime", f"at most {MAX_LIFETIME_S} s", "exp", "iat")
        checks.append(replace(lifetime, actual=_lifetime(claims)))
    return checks


def _lifetime(claims: Claims) -> str:
    expires_at, issued_at = claims.get("exp"), claims.get("iat")
    if isinstance(expires_at, int | float) and isinstance(issued_at, int | float):
        return f"{expires_at - issued_at:.0f} s"
    return "iat absent"


def _show_claim(name: str, value: object) -> str:
    is_time = name in _TIMES and isinstance(value, int | float) and 0 <= value < _YEAR_2100
    return _show_time(value) if is_time and isinstance(value, int | float) else show(value)


def _show_time(seconds: float) -> str:
    date = datetime.fromtimestamp(seconds, UTC)
    return f"{seconds:.0f} ({date:%Y-%m-%d %H:%M:%S} UTC)"


def _soon(expires_at: object, now: float) -> object:
    # A late expiry alone is no fault; together with `iat` it may be, which is a check of its own.
    is_late = isinstance(expires_at, int | float) and expires_at > now + 60
    return now + 60 if is_late else expires_at


def _check_headers(claims: Claims, headers: Mapping[str, str]) -> list[Check]:
    username = USERNAME_CLAIM["id" if claims.get("token_use") == "id" else "access"]
    checks = []
    for name, mapped in headers.items():
        claim = username if mapped == "username" else mapped
        if claim not in claims:
            continue
        try:
            value = encode_value(claim, claims[claim])
        except ClaimInvalid as error:
            checks.append(Check(name, error.expected, show(claims[claim]), error.reason))
        else:
            checks.append(Check(name, f"{claim} as a header", value.decode("ascii")))
    return checks


def _time_left_s(claims: Claims, now: float) -> float | None:
    expires_at = claims.get("exp")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
        return None
    return expires_at - now


def _pool_of(claims: Claims, pools: Sequence[Pool]) -> Pool | None:
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        return None
    return next((pool for pool in pools if issuer in pool.rules.issuers), None)


def _header(token: bytes) -> Claims:
    return _part(token, 0)


def _claims(token: bytes) -> Claims:
    return _part(token, 1)


def _part(token: bytes, index: int) -> Claims:
    if len(token) > MAX_TOKEN_BYTES:
        return {}
    try:
        return parse_object(base64url.decode(token.split(b".")[index]))
    except (ValueError, IndexError):
        return {}
