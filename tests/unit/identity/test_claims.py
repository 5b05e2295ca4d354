"""Claims hold only if every rule holds, at the time that is passed in."""

from dataclasses import replace
from typing import Any

import pytest

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
from sidecar.identity.claims import (
    LEEWAY_S,
    MAX_LIFETIME_S,
    ClaimRules,
    check_claims,
    fault_of,
)
from sidecar.model import SignedClaims, VerifiedClaims
from tests.support import mint
from tests.support.pools import RULES

NOW = mint.NOW
ID_RULES = replace(RULES, token_uses=frozenset({"id"}))
ABSENT = object()


def check(
    rules: ClaimRules = RULES, now: float = NOW, claims: object = None, **changes: object
) -> VerifiedClaims:
    """Check an access token's claims with some of them changed; ABSENT removes one."""
    given = dict(claims) if isinstance(claims, dict) else mint.access_claims()
    given |= changes
    kept = {name.replace("__", ":"): value for name, value in given.items() if value is not ABSENT}
    return check_claims(SignedClaims(kept), rules, now)


def test_valid_access_claims_hold() -> None:
    """An access token as Cognito issues it is accepted whole."""
    verified = check()
    assert verified.claims == mint.access_claims()
    assert verified.token_use == "access"
    assert verified.expires_at == mint.access_claims()["exp"]


def test_valid_id_claims_hold() -> None:
    """An id token as Cognito issues it is accepted where id tokens are."""
    verified = check(ID_RULES, claims=mint.id_claims())
    assert verified.token_use == "id"
    assert verified.claims["cognito:username"] == mint.USERNAME


@pytest.mark.parametrize("name", ["iss", "token_use", "client_id", "sub", "exp"])
def test_required_claim_absent_is_missing(name: str) -> None:
    """Each claim that proves something must be there."""
    with pytest.raises(ClaimMissing) as refused:
        check(**mint.claim(name, ABSENT))
    assert refused.value.claim == name
    assert refused.value.expected == f"the claim {name}"


def test_audience_absent_from_an_id_token_is_missing() -> None:
    """An id token names its client in `aud`; `client_id` does not stand for it."""
    with pytest.raises(ClaimMissing) as refused:
        check(ID_RULES, claims=mint.id_claims(), aud=ABSENT, client_id=mint.CLIENT_ID)
    assert refused.value.claim == "aud"


def test_client_absent_from_an_access_token_is_missing() -> None:
    """An access token names its client in `client_id`; `aud` does not stand for it."""
    with pytest.raises(ClaimMissing) as refused:
        check(client_id=ABSENT, aud=mint.CLIENT_ID)
    assert refused.value.claim == "client_id"


@pytest.mark.parametrize("name", ["iss", "token_use", "client_id", "sub", "username"])
@pytest.mark.parametrize("value", [None, "", " ", "\t\n", 0, 1, 1.5, True, [], ["x"], {}])
def test_text_claim_of_another_type_is_invalid(name: str, value: object) -> None:
    """Null, blank text, numbers, lists and objects are no text."""
    with pytest.raises(ClaimInvalid) as refused:
        check(**mint.claim(name, value))
    assert refused.value.claim == name
    assert name in refused.value.expected


@pytest.mark.parametrize("name", ["scope", "jti"])
@pytest.mark.parametrize("value", [None, 0, 1.5, True, [], ["openid"], {}])
def test_optional_text_of_another_type_is_invalid(name: str, value: object) -> None:
    """They may be absent or empty, but they are text."""
    assert check(**mint.claim(name, ABSENT)).claims
    assert check(**mint.claim(name, "")).claims
    with pytest.raises(ClaimInvalid) as refused:
        check(**mint.claim(name, value))
    assert refused.value.claim == name
    assert refused.value.expected == f"{name} as text"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [None, "", str(NOW + 60), [NOW + 60], {}, True, False, -1, -0.5])
def test_time_claim_of_another_type_is_invalid(name: str, value: object) -> None:
    """Null, text, lists, booleans and negative numbers are no time."""
    with pytest.raises(ClaimInvalid) as refused:
        check(**mint.claim(name, value))
    assert refused.value.claim == name
    assert name in refused.value.expected


@pytest.mark.parametrize("exp", [NOW, NOW - 1, NOW - 0.001, 1, 0, 0.0, -0.0])
def test_token_at_or_past_its_end_is_expired(exp: float) -> None:
    """No leeway: expired is expired, at the very second."""
    with pytest.raises(TokenExpired) as refused:
        check(exp=exp)
    assert refused.value.expected == "exp after now"


@pytest.mark.parametrize("exp", [NOW + 1, NOW + 0.001, NOW + 0.5])
def test_token_just_before_its_end_holds(exp: float) -> None:
    """Until `exp`, fractions included, the claims hold."""
    assert check(exp=exp).expires_at == exp


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_time_ahead_by_the_leeway_holds(name: str) -> None:
    """Cognito's clock may be ahead of ours by the leeway."""
    assert check(**mint.claim(name, NOW + LEEWAY_S)).claims


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("ahead_s", [LEEWAY_S + 0.001, LEEWAY_S + 1, 1_000_000, 10**18])
def test_time_further_ahead_is_not_yet_valid(name: str, ahead_s: float) -> None:
    """A token of the future is refused."""
    with pytest.raises(TokenNotYetValid) as refused:
        check(**mint.claim(name, NOW + ahead_s))
    assert refused.value.expected == f"{name} at most {LEEWAY_S} s ahead of now"


def test_issue_time_absent_holds() -> None:
    """Without `iat` the lifetime is counted from now."""
    assert check(iat=ABSENT, exp=NOW + MAX_LIFETIME_S).claims
    with pytest.raises(ClaimInvalid) as refused:
        check(iat=ABSENT, exp=NOW + MAX_LIFETIME_S + 1)
    assert refused.value.claim == "exp"


@pytest.mark.parametrize("exp", [NOW + MAX_LIFETIME_S - 59, NOW * 1000, 10**18, 1e300])
def test_longer_life_than_cognito_grants_is_invalid(exp: float) -> None:
    """`exp` absurdly far ahead (milliseconds for seconds, say) is refused."""
    with pytest.raises(ClaimInvalid) as refused:
        check(exp=exp, iat=NOW - 60)
    assert refused.value.claim == "exp"
    assert refused.value.expected == f"at most {MAX_LIFETIME_S} s after iat"


def test_longest_life_that_cognito_grants_holds() -> None:
    """24 hours and the minute for rounding are allowed."""
    assert check(exp=NOW - 60 + MAX_LIFETIME_S, iat=NOW - 60).claims


@pytest.mark.parametrize(
    "issuer",
    [
        mint.ISSUER + "/",
        mint.ISSUER + " ",
        mint.ISSUER.upper(),
        mint.ISSUER.replace("https", "http"),
        mint.ISSUER.replace("TestPool1", "TestPool2"),
        mint.ISSUER.replace("TestPool1", "testpool1"),
        mint.ISSUER.replace("eu-west-1", "eu-west-2"),
        mint.ISSUER.replace("amazonaws.com", "amazonaws.com.evil"),
        mint.ISSUER.removesuffix("1"),
        mint.ISSUER + "\0",
        "x",
    ],
)
def test_other_issuer_is_a_mismatch(issuer: str) -> None:
    """`iss` is compared exactly."""
    with pytest.raises(IssuerMismatch) as refused:
        check(iss=issuer)
    assert refused.value.expected == mint.ISSUER


def test_each_issuer_of_the_pool_holds() -> None:
    """A pool may have more than one issuer; a mismatch names them all."""
    rules = replace(RULES, issuers=frozenset({"https://b", "https://a"}))
    assert check(rules, iss="https://a").claims
    assert check(rules, iss="https://b").claims
    with pytest.raises(IssuerMismatch, match=r"^https://a or https://b$"):
        check(rules)


@pytest.mark.parametrize(
    ("accepted", "token_use"),
    [
        ({"access"}, "id"),
        ({"access"}, "Access"),
        ({"access"}, "access "),
        ({"access"}, "refresh"),
        ({"id"}, "access"),
        ({"access", "id"}, "refresh"),
        ({"refresh"}, "refresh"),  # not even where someone says so: its client cannot be told
        (set(), "access"),
    ],
)
def test_other_token_use_is_a_mismatch(accepted: set[str], token_use: str) -> None:
    """Only the configured kinds are accepted, and only those that are known."""
    with pytest.raises(TokenUseMismatch) as refused:
        check(
            replace(RULES, token_uses=frozenset(accepted)), token_use=token_use, aud=mint.CLIENT_ID
        )
    assert refused.value.expected == " or ".join(sorted(accepted))


def test_both_token_uses_hold_where_both_are_accepted() -> None:
    """Each kind is held to its own rules."""
    rules = replace(RULES, token_uses=frozenset({"access", "id"}))
    assert check(rules).token_use == "access"
    assert check(rules, claims=mint.id_claims()).token_use == "id"


@pytest.mark.parametrize("client", ["other", mint.CLIENT_ID.upper(), mint.CLIENT_ID + " ", "*"])
def test_other_client_is_a_mismatch(client: str) -> None:
    """`client_id` of an access token and `aud` of an id token are compared exactly."""
    with pytest.raises(ClientMismatch) as refused:
        check(client_id=client)
    assert refused.value.expected == "an accepted app client as client_id"
    with pytest.raises(ClientMismatch) as refused:
        check(ID_RULES, claims=mint.id_claims(), aud=client)
    assert refused.value.expected == "an accepted app client as aud"


@pytest.mark.parametrize("value", [[mint.CLIENT_ID], [], None, 1, ""])
def test_audience_of_another_type_is_invalid(value: object) -> None:
    """A list of audiences is none that Cognito issues, in either kind."""
    for rules, claims in ((RULES, mint.access_claims()), (ID_RULES, mint.id_claims())):
        with pytest.raises(ClaimInvalid) as refused:
            check(rules, claims=claims, aud=value)
        assert refused.value.claim == "aud"


def test_both_client_claims_must_fit() -> None:
    """A token that names another audience as well is not meant for us."""
    assert check(aud=mint.CLIENT_ID).claims
    assert check(ID_RULES, claims=mint.id_claims(), client_id=mint.CLIENT_ID).claims
    with pytest.raises(ClientMismatch):
        check(aud="other")
    with pytest.raises(ClientMismatch):
        check(ID_RULES, claims=mint.id_claims(), client_id="other")


def test_any_client_holds_where_someone_says_so() -> None:
    """Without a list every client is accepted, but it must be named."""
    rules = replace(RULES, clients=None)
    assert check(rules, client_id="whoever", aud="whatever").claims
    with pytest.raises(ClaimMissing):
        check(rules, client_id=ABSENT)
    with pytest.raises(ClaimInvalid):
        check(rules, aud=[])


def test_user_name_absent_holds() -> None:
    """A client that acts for itself has a subject and no user name."""
    assert "username" not in check(username=ABSENT).claims


@pytest.mark.parametrize("value", [None, "", " ", 1, ["worf"]])
def test_user_name_of_an_id_token_of_another_type_is_invalid(value: object) -> None:
    """An id token's user name is in `cognito:username`; `username` is an attribute like others."""
    claims = mint.id_claims() | {"username": 1}
    assert check(ID_RULES, claims=claims).claims
    with pytest.raises(ClaimInvalid) as refused:
        check(ID_RULES, claims=claims, cognito__username=value)
    assert refused.value.claim == "cognito:username"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "x", "token_use": "x"}, IssuerMismatch),
        ({"token_use": "x", "client_id": "x"}, TokenUseMismatch),
        ({"client_id": "x", "sub": ""}, ClientMismatch),
        ({"sub": "", "exp": 0}, ClaimError),
        ({"exp": 0, "nbf": NOW + 1000}, TokenExpired),
        ({"nbf": NOW + 1000, "iat": "x"}, TokenNotYetValid),
    ],
)
def test_first_broken_rule_is_named(changes: dict[str, Any], error: type[TokenError]) -> None:
    """Rules are checked in one order, so that one token always has one reason."""
    with pytest.raises(error):
        check(**changes)


def test_fault_of_names_what_a_check_would_refuse() -> None:
    """It says the same as the check, and nothing where the check is content."""
    claims = mint.access_claims()
    assert fault_of(claims, RULES, NOW) is None
    assert isinstance(fault_of(claims, RULES, NOW + 3540), TokenExpired)
    fault = fault_of(claims | {"sub": 1}, RULES, NOW)
    assert isinstance(fault, ClaimInvalid)
    assert fault.claim == "sub"
