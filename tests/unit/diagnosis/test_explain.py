"""What is said about a token: every check, the first that fails, and never the signature."""

from collections.abc import Mapping
from typing import Any

import pytest

from sidecar.diagnosis.explain import Explanation, explain
from sidecar.errors import SidecarError
from sidecar.identity import base64url
from sidecar.model import BearerToken, Identity
from tests.support import mint
from tests.support.pools import HEADERS, HeldKeys, authenticator, pool

OTHER_ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"


def explained(
    token: bytes, headers: Mapping[str, str] | None = None, now: float = mint.NOW
) -> Explanation:
    """Explain a token to the test pool."""
    return explain(token, [pool()], HEADERS if headers is None else headers, now)


def first_failure(explanation: Explanation) -> tuple[str, str]:
    """Return name and reason of the first check that fails."""
    return next(((c.name, c.reason) for c in explanation.checks if c.reason), ("", ""))


def good(**changes: Any) -> BearerToken:
    """Make a token with some claims changed."""
    return mint.mint(**changes)


BROKEN: dict[str, tuple[bytes, str]] = {
    "two parts": (b"a.b", "form"),
    "empty": (b"", "form"),
    "too long": (b"a" * 9000, "form"),
    "padded": (good() + b"=", "form"),
    "HS256": (mint.mint(header={"kid": mint.KID, "alg": "HS256"}), "alg"),
    "no alg": (mint.mint(header={"kid": mint.KID}), "alg"),
    "no kid": (mint.mint(header={"alg": "RS256"}), "form"),
    "crit": (mint.mint(header={"kid": mint.KID, "alg": "RS256", "crit": ["x"]}), "form"),
    "another issuer": (good(iss=OTHER_ISSUER), "iss"),
    "no issuer": (good(iss=None), "iss"),
    "an issuer that is a list": (good(iss=[mint.ISSUER]), "iss"),
    "an unknown key": (mint.mint(header={"kid": "other", "alg": "RS256"}), "kid"),
    "another key's signature": (mint.mint(key=mint.private_key("other")), "signature"),
    "an id token": (mint.mint(mint.id_claims()), "token_use"),
    "a foreign client": (good(client_id="other"), "client_id"),
    "no client": (good(client_id=None), "client_id"),
    "a foreign aud": (good(aud="other"), "client_id"),
    "no sub": (good(sub=None), "sub"),
    "a number for sub": (good(sub=7), "sub"),
    "a blank username": (good(username=" "), "username"),
    "expired": (good(exp=mint.NOW), "exp"),
    "no exp": (good(exp=None), "exp"),
    "exp as text": (good(exp="soon"), "exp"),
    "issued tomorrow": (good(iat=mint.NOW + 86_400, exp=mint.NOW + 90_000), "iat"),
    "not yet valid": (good(nbf=mint.NOW + 60), "nbf"),
    "valid for a week": (good(exp=mint.NOW + 7 * 86_400), "lifetime"),
    "a control character": (good(username="a\nb"), "X-Cognito-Username"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_first_failing_check_is_the_one_that_refuses(name: str) -> None:
    """The table and the verdict never disagree about why a token is refused."""
    token, check = BROKEN[name]
    with pytest.raises(SidecarError) as refused:
        authenticator().authenticate(BearerToken(token), mint.NOW)
    explanation = explained(token)
    assert explanation.reason == refused.value.reason
    assert first_failure(explanation) == (check, refused.value.reason)


def test_good_token_passes_every_check() -> None:
    """Nothing fails, nothing is left out, and the fields are those that a request would get."""
    explanation = explained(good())
    assert [check.name for check in explanation.checks if check.reason or not check.is_made] == []
    assert isinstance(explanation.outcome, Identity)
    assert dict(explanation.outcome.fields)[b"X-Cognito-Sub"] == mint.SUB.encode()
    assert explanation.time_left_s == 3540


def test_all_that_is_wrong_is_shown_at_once() -> None:
    """An expired token of another client needs one look, not two."""
    explanation = explained(good(client_id="other", exp=mint.NOW - 5))
    failed = {check.name: check.reason for check in explanation.checks if check.reason}
    assert failed == {"client_id": "client_mismatch", "exp": "token_expired"}
    assert explanation.time_left_s == -5


def test_expected_and_actual_stand_side_by_side() -> None:
    """Whoever mixed up two app clients sees both."""
    checks = {check.name: check for check in explained(good(client_id="other")).checks}
    assert checks["client_id"].expected == mint.CLIENT_ID
    assert checks["client_id"].actual == '"other"'


@pytest.mark.parametrize("name", [*BROKEN, "good"])
def test_signature_and_token_are_never_shown(name: str) -> None:
    """What is said about a token cannot be used in its place."""
    token = good() if name == "good" else BROKEN[name][0]
    said = repr([(check.expected, check.actual) for check in explained(token).checks]).encode()
    parts = token.split(b".")
    for secret in (parts[-1], parts[-1][:20], token[:60]):
        assert len(secret) < 10 or secret not in said


def test_hostile_value_is_shown_so_that_a_terminal_can_bear_it() -> None:
    """Control characters are escaped, long values cut."""
    checks = {c.name: c for c in explained(good(client_id="\x1b[2J\u202e" + "x" * 500)).checks}
    assert checks["client_id"].actual.isascii() is False  # the ellipsis of our own
    assert "\x1b" not in checks["client_id"].actual
    assert "\u202e" not in checks["client_id"].actual
    assert len(checks["client_id"].actual) < 200


def test_unavailable_keys_leave_the_signature_open() -> None:
    """Without keys nothing is said about the signature, and the claims are checked all the same."""
    keys = HeldKeys()
    keys.keys = None
    explanation = explain(good(exp=mint.NOW), [pool(keys)], HEADERS, mint.NOW)
    checks = {check.name: check for check in explanation.checks}
    assert (checks["kid"].reason, checks["signature"].is_made) == ("keys_unavailable", False)
    assert checks["exp"].reason == "token_expired"
    assert explanation.reason == "keys_unavailable"


def test_claims_of_a_foreign_pool_are_not_held_against_one_of_several() -> None:
    """With two pools nobody knows whose rules a stranger's token should meet."""
    other = "us-east-1_Other"
    rules = pool().rules
    second = type(pool())(
        other, type(rules)(frozenset({"https://x"}), None, rules.token_uses), HeldKeys()
    )
    explanation = explain(good(iss=OTHER_ISSUER), [pool(), second], HEADERS, mint.NOW)
    assert [c.name for c in explanation.checks if not c.is_made] == ["kid", "signature", "claims"]


def test_payload_that_is_no_json_leaves_the_claims_open() -> None:
    """What cannot be read is not guessed at."""
    token = b".".join([good().split(b".")[0], base64url.encode(b"{nonsense"), b"c2ln"])
    explanation = explained(token)
    assert first_failure(explanation) == ("form", "token_malformed")
    assert not next(c for c in explanation.checks if c.name == "claims").is_made


def test_times_are_shown_as_people_read_them() -> None:
    """Seconds since the epoch say nothing at three in the morning."""
    checks = {check.name: check for check in explained(good(exp=mint.NOW - 1)).checks}
    assert checks["exp"].actual == f"{mint.NOW - 1} (2027-01-15 07:59:59 UTC)"
    assert checks["exp"].expected.endswith(f"{mint.NOW} (2027-01-15 08:00:00 UTC)")


@pytest.mark.parametrize("exp", [1e300, -1, True, "1"])
def test_time_that_no_calendar_knows_is_shown_as_it_is(exp: object) -> None:
    """A hostile number does not end the explanation."""
    assert first_failure(explained(good(exp=exp)))[0] in ("exp", "lifetime")
