"""What the cache says is what a verification would say, at any time and with any keys."""

import pytest

from sidecar.errors import KeysUnavailable, SignatureInvalid
from sidecar.identity.cache import (
    MAX_AGE_S,
    MAX_BYTES,
    MAX_ENTRIES,
    MAX_REFUSED,
    Signer,
    TokenCache,
)
from sidecar.identity.newcomers import MAX_NEWCOMERS
from sidecar.model import Identity
from tests.support import mint
from tests.support.pools import HeldKeys

NOW = mint.NOW
DIGEST = b"d" * 32


def identity(
    expires_at: float = NOW + 3600,
    fields: tuple[tuple[bytes, bytes], ...] = ((b"X-Cognito-Sub", b"s"),),
    groups: tuple[str, ...] = (),
    scopes: tuple[str, ...] = (),
) -> Identity:
    """Make an identity."""
    return Identity(
        fields, frozenset(groups), frozenset(scopes), "access", mint.POOL_ID, mint.KID, expires_at
    )


def signer(keys: HeldKeys) -> Signer:
    """Make the signer of the pool's key as it is now."""
    return Signer(keys.current()[mint.KID], keys, mint.POOL_ID)


def test_unknown_token_is_not_found() -> None:
    """An empty cache knows nobody."""
    cache = TokenCache()
    assert cache.find(DIGEST, NOW) is None
    assert (len(cache), cache.hits, cache.misses) == (0, 0, 1)


def test_hits_and_misses_are_counted() -> None:
    """A miss is whatever must be verified, or was refused before."""
    cache, key = TokenCache(), signer(HeldKeys())
    assert (cache.hits, cache.misses) == (0, 0)
    cache.remember(DIGEST, identity(), key, NOW)
    for now in (NOW, NOW + 1, NOW + MAX_AGE_S, NOW):
        cache.find(DIGEST, now)
    assert (cache.hits, cache.misses) == (2, 2)
    cache.remember(DIGEST, identity(), key, NOW)
    assert cache.find(DIGEST, NOW - 1) is None
    cache.remember_refused(b"bad", key)
    with pytest.raises(SignatureInvalid):
        cache.find(b"bad", NOW)
    assert (cache.hits, cache.misses) == (2, 4)


@pytest.mark.parametrize("now", [NOW, NOW + 1, NOW + MAX_AGE_S - 0.001])
def test_remembered_identity_is_found(now: float) -> None:
    """Within its time an identity is given back."""
    cache, proven = TokenCache(), identity()
    cache.remember(DIGEST, proven, signer(HeldKeys()), NOW)
    assert cache.find(DIGEST, now) is proven
    assert cache.find(b"x" * 32, now) is None


@pytest.mark.parametrize(
    ("expires_at", "now"),
    [
        (NOW + 3600, NOW + MAX_AGE_S),
        (NOW + 3600, NOW + 86400),
        (NOW + 10, NOW + 10),
        (NOW + 10, NOW + 11),
        (NOW + 3600, NOW - 0.001),  # the clock was set back: `iat` may lie ahead now
        (NOW + 3600, NOW - 86400),
    ],
)
def test_entry_outside_its_time_is_forgotten(expires_at: float, now: float) -> None:
    """Time is looked at on every hit; what is out of time is gone for good."""
    cache = TokenCache()
    cache.remember(DIGEST, identity(expires_at), signer(HeldKeys()), NOW)
    assert cache.find(DIGEST, now) is None
    assert cache.find(DIGEST, NOW) is None
    assert len(cache) == 0


def test_entry_whose_key_left_is_forgotten() -> None:
    """A key that the pool no longer has takes its tokens with it, even if it comes back."""
    keys, cache = HeldKeys(), TokenCache()
    cache.remember(DIGEST, identity(), signer(keys), NOW)
    keys.publish(mint.jwk(mint.private_key("other"), "other"))
    assert cache.find(DIGEST, NOW) is None
    keys.publish()
    assert cache.find(DIGEST, NOW) is None
    assert len(cache) == 0


def test_entry_whose_kid_names_another_key_now_is_forgotten() -> None:
    """It is the key that counts, not its name."""
    keys, cache = HeldKeys(), TokenCache()
    cache.remember(DIGEST, identity(), signer(keys), NOW)
    keys.publish(mint.jwk(mint.private_key("other")))
    assert cache.find(DIGEST, NOW) is None


def test_entry_survives_a_refresh_that_keeps_its_key() -> None:
    """A new key beside it changes nothing."""
    keys, cache, proven = HeldKeys(), TokenCache(), identity()
    cache.remember(DIGEST, proven, signer(keys), NOW)
    keys.publish(mint.jwk(), mint.jwk(mint.private_key("other"), "other"))
    assert cache.find(DIGEST, NOW) is proven


def test_hit_without_trustworthy_keys_is_unavailable() -> None:
    """While the keys are unknown nobody can say whether the token still holds."""
    keys, cache, proven = HeldKeys(), TokenCache(), identity()
    cache.remember(DIGEST, proven, signer(keys), NOW)
    cache.remember_refused(b"bad", signer(keys))
    keys.keys = None
    for digest in (DIGEST, b"bad"):
        with pytest.raises(KeysUnavailable):
            cache.find(digest, NOW)
    keys.publish()
    assert cache.find(DIGEST, NOW) is proven


def test_bad_signature_is_remembered_while_its_key_is_current() -> None:
    """The same bytes are refused again without cryptography, and the refusal says of what."""
    keys, cache = HeldKeys(), TokenCache()
    cache.remember_refused(DIGEST, signer(keys))
    for _ in range(2):
        with pytest.raises(SignatureInvalid) as refused:
            cache.find(DIGEST, NOW)
        assert (refused.value.kid, refused.value.pool_id) == (mint.KID, mint.POOL_ID)
        assert refused.value.expected == "a signature by the key that kid names"
    keys.publish(mint.jwk(mint.private_key("other")))
    assert cache.find(DIGEST, NOW) is None
    assert len(cache) == 0


def test_entries_are_bounded_in_number() -> None:
    """However many tokens come, the cache holds so many; the latest used stay."""
    cache, key = TokenCache(), signer(HeldKeys())
    for number in range(MAX_ENTRIES + 50):
        for _ in range(2):
            cache.remember(b"%d" % number, identity(), key, NOW)
        assert cache.find(b"0", NOW)
    assert len(cache) == MAX_ENTRIES
    assert cache.find(b"1", NOW) is None
    assert cache.find(b"%d" % (MAX_ENTRIES + 49), NOW)


def test_tokens_used_once_push_nobody_out_of_a_full_cache() -> None:
    """A flood of good tokens costs their verification; whoever comes twice is remembered."""
    cache, key = TokenCache(), signer(HeldKeys())
    for number in range(MAX_ENTRIES + 3 * MAX_NEWCOMERS):
        cache.remember(b"%d" % number, identity(), key, NOW)
    assert all(cache.find(b"%d" % number, NOW) for number in range(MAX_ENTRIES))
    latest = b"%d" % (MAX_ENTRIES + 3 * MAX_NEWCOMERS - 1)
    assert cache.find(latest, NOW) is None
    cache.remember(latest, identity(), key, NOW)
    assert cache.find(latest, NOW)
    assert len(cache) == MAX_ENTRIES


def test_newcomers_are_forgotten_in_their_turn() -> None:
    """What is noted of tokens that came once is bounded, too."""
    cache, key = TokenCache(), signer(HeldKeys())
    for number in range(MAX_ENTRIES + 1 + 2 * MAX_NEWCOMERS):
        cache.remember(b"%d" % number, identity(), key, NOW)
    first_newcomer = b"%d" % MAX_ENTRIES
    cache.remember(first_newcomer, identity(), key, NOW)
    assert cache.find(first_newcomer, NOW) is None


LARGE = "x" * 40_000


@pytest.mark.parametrize(
    "large",
    [
        identity(fields=((b"A" * 20_000, b"v" * 20_000),)),
        identity(fields=((b"A" * 10_000, b"v" * 10_000), (b"B" * 10_000, b"w" * 10_000))),
        identity(groups=(LARGE[:10_000],)),
        identity(scopes=(LARGE[:10_000],)),
        identity(groups=tuple(f"{n:03}" for n in range(288)), scopes=()),
        identity(
            groups=tuple(f"{n:03}" for n in range(143)), scopes=tuple(f"{n:03}" for n in range(144))
        ),
    ],
)
def test_entries_are_bounded_in_bytes(large: Identity) -> None:
    """Large identities leave room for fewer: fields by size, groups and scopes with overhead."""
    cache, key = TokenCache(), signer(HeldKeys())
    for number in range(1000):
        cache.remember(b"%d" % number, large, key, NOW)
    assert MAX_BYTES // 41_000 <= len(cache) <= MAX_BYTES // 39_999


def test_bad_signatures_push_no_good_entry_out() -> None:
    """They have a small cache of their own."""
    cache, key, proven = TokenCache(), signer(HeldKeys()), identity()
    cache.remember(DIGEST, proven, key, NOW)
    for number in range(20 * MAX_REFUSED):
        cache.remember_refused(b"%d" % number, key)
    assert len(cache) == MAX_REFUSED + 1
    assert cache.find(DIGEST, NOW) is proven
