"""Verified tokens by digest. An entry dies with its `exp`, with its key, and after five minutes.

The cache remembers outcomes; it never decides. Time and key are looked at on every hit, so that a
stale entry can only cost a verification, never let anyone in.
"""

from typing import NamedTuple

from cachetools import LRUCache

from sidecar.errors import SignatureInvalid
from sidecar.identity.keyset import KeySource, PublicKey
from sidecar.identity.newcomers import Newcomers
from sidecar.model import Identity

MAX_ENTRIES = 10_000
"""Users active at once on one sidecar; more only costs verifications."""

MIN_COST_BYTES = 3_300
"""What every entry counts for, so that one limit bounds bytes and entries alike."""

MAX_BYTES = MAX_ENTRIES * MIN_COST_BYTES
"""33 MB of names and values: 10 000 ordinary identities need 2 MB, 10 000 of the largest 80 MB."""

_FULL_BYTES = MAX_BYTES - MIN_COST_BYTES  # there is no room for one more

MAX_AGE_S = 300
"""How long an outcome may be reused, so that a change nobody told us of is noticed."""

MAX_REFUSED = 1_000
"""Bad signatures remembered. Small and apart: a flood of them cannot push good entries out."""

# A group or scope of two letters takes 51 bytes as a string and up to 64 as a slot of its set;
# counted by letters alone, a token with 1200 of them would be held for a tenth of its size.
_NAME_BYTES = 128


class Signer(NamedTuple):
    """A key and where it came from, to be asked whether the key is still in use.

    A tuple, as what holds it: both are made for every new token, in half a dataclass's time.

    Attributes:
        key: Which the token names.
        source: The keys of its pool.
        pool_id: The pool.
    """

    key: PublicKey
    source: KeySource
    pool_id: str

    def is_current(self) -> bool:
        """Tell whether the pool still signs with this key.

        Raises:
            KeysUnavailable: The pool has no trustworthy key set at the moment.
        """
        current = self.source.current().find(self.key.kid)
        return current is self.key or current == self.key


class _Verified(NamedTuple):
    identity: Identity
    signer: Signer
    good_from: float
    good_until: float


class TokenCache:
    """What became of the tokens seen lately. A class because it is state that outlives a request.

    Keyed by the SHA-256 of the whole token: the token itself is not kept.

    Attributes:
        hits: Tokens whose identity was remembered.
        misses: Tokens whose identity was not, or no longer.
    """

    def __init__(self) -> None:
        self._verified: LRUCache[bytes, _Verified] = LRUCache(MAX_BYTES, getsizeof=_cost_bytes)
        self._refused: LRUCache[bytes, Signer] = LRUCache(MAX_REFUSED)
        self._newcomers = Newcomers()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        """Count what is remembered, good and bad."""
        return len(self._verified) + len(self._refused)

    def find(self, digest: bytes, now: float) -> Identity | None:
        """Return whom the token with this digest proves at `now`, or None if it must be verified.

        Raises:
            SignatureInvalid: The current key has refused this very token before.
            KeysUnavailable: The pool has no trustworthy key set at the moment.
        """
        entry = self._verified.get(digest)
        if entry is None:
            self.misses += 1
            if digest in self._refused:
                self._refuse_again(digest)
            return None
        # A clock that was set back leaves entries from the future: not good yet, either.
        if entry.good_from <= now < entry.good_until and entry.signer.is_current():
            self.hits += 1
            return entry.identity
        self.misses += 1
        del self._verified[digest]
        return None

    def remember(self, digest: bytes, identity: Identity, signer: Signer, now: float) -> None:
        """Keep an identity that was just verified with the key of `signer`, at `now`.

        Once the cache is full, a token must come twice before it takes the place of another: a
        flood of tokens that are used once pushes nobody out, and costs a fifth less, for each entry
        that is replaced leaves its memory in pieces all over the heap.
        """
        if self._verified.currsize > _FULL_BYTES and not self._newcomers.came_before(digest):
            return
        good_until = min(identity.expires_at, now + MAX_AGE_S)
        self._verified[digest] = _Verified(identity, signer, now, good_until)

    def remember_refused(self, digest: bytes, signer: Signer) -> None:
        """Keep that the key of `signer` did not sign the token."""
        self._refused[digest] = signer

    def _refuse_again(self, digest: bytes) -> None:
        signer = self._refused[digest]
        if signer.is_current():
            raise _refusal(signer)
        del self._refused[digest]


def _refusal(signer: Signer) -> SignatureInvalid:
    error = SignatureInvalid("a signature by the key that kid names")
    error.kid, error.pool_id = signer.key.kid, signer.pool_id
    return error


def _cost_bytes(entry: _Verified) -> int:
    identity = entry.identity
    cost = 0
    for name, value in identity.fields:
        cost += len(name) + len(value)
    for names in (identity.groups, identity.scopes):
        for text in names:
            cost += _NAME_BYTES + 4 * len(text)
    return max(MIN_COST_BYTES, cost)
