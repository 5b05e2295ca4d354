"""Token → Identity: every check in its order, each outcome remembered no longer than it holds."""

import hashlib
from dataclasses import replace

import pytest

from sidecar.errors import (
    ClaimInvalid,
    ClaimMissing,
    ClientMismatch,
    IssuerMismatch,
    KeysUnavailable,
    KeyUnknown,
    SignatureInvalid,
    TokenError,
    TokenExpired,
    TokenMalformed,
    TokenUseMismatch,
)
from sidecar.identity.authenticator import Pool
from sidecar.identity.cache import MAX_AGE_S
from sidecar.model import BearerToken
from tests.support import mint
from tests.support.pools import RULES, HeldKeys, authenticator, pool

NOW = mint.NOW
OTHER_POOL_ID = "eu-west-1_TestPool2"
OTHER_ISSUER = mint.ISSUER.replace(mint.POOL_ID, OTHER_POOL_ID)
BOTH = replace(RULES, token_uses=frozenset({"access", "id"}))


def test_access_token_proves_its_user() -> None:
    """Everything that the rest of the house needs is in the identity."""
    identity = authenticator().authenticate(
        mint.mint(**mint.claim("cognito:groups", ["admin", "ops"])), NOW
    )
    assert identity.fields == (
        (b"X-Cognito-Sub", mint.SUB.encode()),
        (b"X-Cognito-Username", mint.USERNAME.encode()),
    )
    assert identity.groups == {"admin", "ops"}
    assert identity.scopes == {"aws.cognito.signin.user.admin"}
    assert identity.token_use == "access"
    assert identity.pool_id == mint.POOL_ID
    assert identity.kid == mint.KID
    assert identity.expires_at == NOW + 3540
    assert identity.subject_digest == hashlib.sha256(mint.SUB.encode()).hexdigest()[:16]


def test_id_token_proves_its_user() -> None:
    """`username` stands for `cognito:username` where an id token is concerned, `at_hash` or not."""
    auth = authenticator(pool(rules=BOTH))
    for at_hash in ("9kqYt0wYkT1bZ2i4WnZl0A", None):
        identity = auth.authenticate(mint.mint(mint.id_claims(at_hash=at_hash)), NOW)
        assert dict(identity.fields)[b"X-Cognito-Username"] == mint.USERNAME.encode()
        assert identity.token_use == "id"
        assert identity.scopes == frozenset()


def test_attribute_named_username_of_an_id_token_is_not_the_user_name() -> None:
    """An id token's `username` is never taken, not even where `cognito:username` is absent."""
    claims = mint.id_claims(username="picard", **mint.claim("cognito:username", None))
    identity = authenticator(pool(rules=BOTH)).authenticate(mint.mint(claims), NOW)
    assert dict(identity.fields) == {b"X-Cognito-Sub": mint.SUB.encode()}


def test_client_credentials_token_has_no_user_name() -> None:
    """A client that acts for itself: the field is absent, never blank."""
    token = mint.mint(username=None, sub=mint.CLIENT_ID, scope="orders/read orders/write")
    identity = authenticator().authenticate(token, NOW)
    assert identity.fields == ((b"X-Cognito-Sub", mint.CLIENT_ID.encode()),)
    assert identity.scopes == {"orders/read", "orders/write"}


@pytest.mark.parametrize(
    ("username", "header"),
    [
        ("LoginWithAmazon_amzn1.account.AFAEXAMPLE", b"LoginWithAmazon_amzn1.account.AFAEXAMPLE"),
        ("Google_110123456789012345678", b"Google_110123456789012345678"),
        ("worf@example.com", b"worf@example.com"),
        ("Jürgen", b"J%C3%BCrgen"),
        ("%C3%A9ric", b"%25C3%25A9ric"),
    ],
)
def test_user_name_becomes_a_field(username: str, header: bytes) -> None:
    """Federated and foreign names arrive, each in one spelling."""
    identity = authenticator().authenticate(mint.mint(username=username), NOW)
    assert dict(identity.fields)[b"X-Cognito-Username"] == header


def test_mapped_claims_become_fields_in_order() -> None:
    """Each mapped claim that the token has becomes one field; the others none."""
    headers = {"X-B": "email_verified", "X-A": "cognito:groups", "X-C": "missing", "X-D": "exp"}
    token = mint.mint(email_verified=False, **mint.claim("cognito:groups", ["a"]))
    identity = authenticator(headers=headers).authenticate(token, NOW)
    assert identity.fields == (
        (b"X-B", b"false"), (b"X-A", b'["a"]'), (b"X-D", str(NOW + 3540).encode()),
    )  # fmt: skip


@pytest.mark.parametrize("value", [b"null", b"{}", b'{"a":1}', b"[1]", b'""', b'" "', b'"a\\nb"'])
def test_mapped_claim_that_cannot_be_a_field_makes_the_token_unusable(value: bytes) -> None:
    """Null is not absent, and nothing is ever blank or made up."""
    auth = authenticator(headers={"X-Cognito-Sub": "sub", "X-Plan": "custom:plan"})
    claims = str(mint.access_claims()).replace("'", '"').encode()
    token = mint.mint(claims[:-1] + b',"custom:plan":' + value + b"}")
    for _ in range(2):
        with pytest.raises(ClaimInvalid) as refused:
            auth.authenticate(token, NOW)
        assert refused.value.claim == "custom:plan"


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["a", "b"], {"a", "b"}),
        (["a", ""], {"a"}),
        (["a", 1, True, ["b"], {"c": 1}], {"a"}),
        ([], set()),
        ("admin", set()),
        ({"admin": 1}, set()),
        (1, set()),
    ],
)
def test_groups_are_texts_of_a_list(groups: object, expected: set[str]) -> None:
    """Anything else grants nothing."""
    token = mint.mint(**mint.claim("cognito:groups", groups))
    assert authenticator().authenticate(token, NOW).groups == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("a", {"a"}),
        ("a b  c ", {"a", "b", "c"}),
        ("a\tb", {"a\tb"}),
        ("", set()),
        (" ", set()),
        (None, set()),
    ],
)
def test_scopes_are_words_of_a_text(scope: object, expected: set[str]) -> None:
    """They are parted by single spaces (RFC 6749 §3.3)."""
    assert authenticator().authenticate(mint.mint(scope=scope), NOW).scopes == expected


def test_token_of_each_pool_is_held_against_its_own_keys_and_rules() -> None:
    """`iss` chooses the pool, and lends nothing of another one."""
    other_key = mint.private_key("other")
    other_rules = replace(RULES, issuers=frozenset({OTHER_ISSUER}), clients=frozenset({"other"}))
    other = Pool(OTHER_POOL_ID, other_rules, HeldKeys(mint.jwk(other_key)))  # the kid is shared
    auth = authenticator(pool(), other)
    assert auth.authenticate(mint.mint(), NOW).pool_id == mint.POOL_ID
    token = mint.mint(iss=OTHER_ISSUER, client_id="other", key=other_key)
    assert auth.authenticate(token, NOW).pool_id == OTHER_POOL_ID
    with pytest.raises(SignatureInvalid) as refused:
        auth.authenticate(mint.mint(iss=OTHER_ISSUER, client_id="other"), NOW)
    assert (refused.value.kid, refused.value.pool_id) == (mint.KID, OTHER_POOL_ID)
    with pytest.raises(SignatureInvalid):
        auth.authenticate(mint.mint(key=other_key), NOW)
    with pytest.raises(ClientMismatch):
        auth.authenticate(mint.mint(client_id="other"), NOW)
    with pytest.raises(ClientMismatch):
        auth.authenticate(mint.mint(iss=OTHER_ISSUER, key=other_key), NOW)


def test_outage_of_one_pool_leaves_the_other_alone() -> None:
    """Keys that are unavailable concern their own pool."""
    keys = HeldKeys()
    rules = replace(RULES, issuers=frozenset({OTHER_ISSUER}))
    auth = authenticator(pool(), Pool(OTHER_POOL_ID, rules, keys))
    keys.keys = None
    assert auth.authenticate(mint.mint(), NOW).fields
    with pytest.raises(KeysUnavailable):
        auth.authenticate(mint.mint(iss=OTHER_ISSUER), NOW)


def test_pools_with_a_common_issuer_are_a_start_up_error() -> None:
    """Else the rules of one would silently stand for the other's."""
    with pytest.raises(ValueError, match=f"^two pools with the issuer {mint.ISSUER}$"):
        authenticator(pool(), pool())


def test_pool_with_several_issuers_accepts_each() -> None:
    """The original issuer and that of updated pools are the same pool."""
    updated = mint.ISSUER.replace("cognito-idp", "issuer-cognito-idp")
    auth = authenticator(pool(rules=replace(RULES, issuers=frozenset({mint.ISSUER, updated}))))
    assert auth.authenticate(mint.mint(), NOW).fields
    assert auth.authenticate(mint.mint(iss=updated), NOW).fields


@pytest.mark.parametrize("issuer", [OTHER_ISSUER, mint.ISSUER + "/", "evil"])
def test_foreign_issuer_is_a_mismatch(issuer: str) -> None:
    """No keys are even looked at; the refusal knows the kid but no pool."""
    with pytest.raises(IssuerMismatch) as refused:
        authenticator().authenticate(mint.mint(iss=issuer), NOW)
    assert (refused.value.kid, refused.value.pool_id) == (mint.KID, "")
    assert refused.value.expected == mint.ISSUER


def test_mismatch_names_all_issuers() -> None:
    """Whoever reads it sees what was expected."""
    other = Pool(OTHER_POOL_ID, replace(RULES, issuers=frozenset({OTHER_ISSUER})), HeldKeys())
    with pytest.raises(IssuerMismatch, match=f"^{mint.ISSUER} or {OTHER_ISSUER}$"):
        authenticator(other, pool()).authenticate(mint.mint(iss="evil"), NOW)


@pytest.mark.parametrize("issuer", [None, "", 1, [mint.ISSUER]])
def test_issuer_that_is_no_text_is_refused(issuer: object) -> None:
    """A list is no issuer, and cannot crash the lookup."""
    with pytest.raises((ClaimMissing, ClaimInvalid)) as refused:
        authenticator().authenticate(mint.mint(iss=issuer), NOW)
    assert refused.value.claim == "iss"


def test_unknown_kid_is_reported_with_its_pool() -> None:
    """So that the keys of that pool can be fetched anew."""
    with pytest.raises(KeyUnknown) as refused:
        authenticator().authenticate(mint.mint(header={"alg": "RS256", "kid": "new"}), NOW)
    assert (refused.value.kid, refused.value.pool_id) == ("new", mint.POOL_ID)
    assert refused.value.expected == "a kid of the pool's current key set"


def test_every_refusal_of_a_read_token_names_kid_and_pool() -> None:
    """The log can say of what, without a piece of the token."""
    refusals: dict[type[TokenError], BearerToken] = {
        SignatureInvalid: mint.mint(signature=bytes(256)),
        TokenExpired: mint.mint(exp=NOW),
        ClientMismatch: mint.mint(client_id="other"),
        TokenUseMismatch: mint.mint(mint.id_claims()),
        ClaimMissing: mint.mint(sub=None),
        ClaimInvalid: mint.mint(sub=1),
    }
    auth = authenticator()
    for error, token in refusals.items():
        for _ in range(2):
            with pytest.raises(error) as refused:
                auth.authenticate(token, NOW)
            assert (refused.value.kid, refused.value.pool_id) == (mint.KID, mint.POOL_ID)


def test_unreadable_token_names_neither_kid_nor_pool() -> None:
    """There is nothing to name."""
    with pytest.raises(TokenMalformed) as refused:
        authenticator().authenticate(BearerToken(b"x"), NOW)
    assert (refused.value.kid, refused.value.pool_id) == ("", "")


def test_unavailable_keys_are_no_verdict() -> None:
    """A good token must never be taken for a bad one."""
    keys = HeldKeys()
    auth = authenticator(pool(keys))
    token = mint.mint()
    keys.keys = None
    with pytest.raises(KeysUnavailable):
        auth.authenticate(token, NOW)
    keys.publish()
    assert auth.authenticate(token, NOW).fields


def test_proven_token_is_found_again_without_proof() -> None:
    """The second time costs a look-up: the very same identity comes back."""
    auth, token = authenticator(), mint.mint()
    assert auth.authenticate(token, NOW) is auth.authenticate(token, NOW + 1)


def test_cached_token_is_proven_anew_after_its_time() -> None:
    """What nobody told us of is noticed after five minutes."""
    auth, token = authenticator(), mint.mint()
    first = auth.authenticate(token, NOW)
    again = auth.authenticate(token, NOW + MAX_AGE_S)
    assert first == again
    assert first is not again


def test_cached_token_past_its_end_is_expired() -> None:
    """A cached outcome never outlives `exp`."""
    auth, token = authenticator(), mint.mint(exp=NOW + 5)
    assert auth.authenticate(token, NOW + 4.999).fields
    for _ in range(2):
        with pytest.raises(TokenExpired):
            auth.authenticate(token, NOW + 5)


def test_cached_token_of_a_removed_key_is_unknown() -> None:
    """A removed key takes its cached tokens with it at once."""
    keys = HeldKeys()
    auth, token = authenticator(pool(keys)), mint.mint()
    assert auth.authenticate(token, NOW).fields
    keys.publish(mint.jwk(mint.private_key("other"), "other"))
    with pytest.raises(KeyUnknown):
        auth.authenticate(token, NOW)
    keys.publish(mint.jwk(mint.private_key("other")))
    with pytest.raises(SignatureInvalid):
        auth.authenticate(token, NOW)
    keys.publish()
    assert auth.authenticate(token, NOW).fields


def test_refused_signature_is_proven_anew_once_its_key_changed() -> None:
    """A token that came before its key is good afterwards."""
    keys = HeldKeys(mint.jwk(mint.private_key("other")))
    auth, token = authenticator(pool(keys)), mint.mint()
    for _ in range(2):
        with pytest.raises(SignatureInvalid):
            auth.authenticate(token, NOW)
    keys.publish()
    assert auth.authenticate(token, NOW).fields


def test_token_proven_under_one_set_of_rules_proves_nothing_under_another() -> None:
    """Outcomes are not shared: another authenticator checks by its own rules."""
    token = mint.mint()
    assert authenticator().authenticate(token, NOW).fields
    strict = authenticator(pool(rules=replace(RULES, clients=frozenset({"other"}))))
    with pytest.raises(ClientMismatch):
        strict.authenticate(token, NOW)


def test_bad_signature_is_remembered_by_its_token() -> None:
    """The same bytes are refused again by the cache alone; other bytes are not."""
    auth = authenticator()
    bad, other = mint.mint(signature=bytes(256)), mint.mint(signature=bytes(255))
    with pytest.raises(SignatureInvalid):
        auth.authenticate(bad, NOW)
    with pytest.raises(SignatureInvalid) as refused:
        auth.cache.find(hashlib.sha256(bad).digest(), NOW)
    assert (refused.value.kid, refused.value.pool_id) == (mint.KID, mint.POOL_ID)
    assert auth.cache.find(hashlib.sha256(other).digest(), NOW) is None


def test_outcomes_are_counted() -> None:
    """Good tokens and bad signatures are remembered, for a metric to show; nothing else is."""
    auth = authenticator()
    auth.authenticate(mint.mint(), NOW)
    for token in (mint.mint(signature=bytes(256)), BearerToken(b"x"), mint.mint(exp=NOW)):
        for _ in range(2):
            with pytest.raises(TokenError):
                auth.authenticate(token, NOW)
    assert len(auth.cache) == 2
