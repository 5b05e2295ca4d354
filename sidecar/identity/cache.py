"""Verified tokens by digest. An entry dies with its `exp`, with its key, and after five minutes.

The cache remembers outcomes; it never decides. Time and key are looked at on every hit, so that a
stale entry can only cost a verification, never let anyone in.
"""

from dataclasses import dataclass

from cachetools import LRUCache

from sidecar.errors import SignatureInvalid
from sidecar.identity.keyset import KeySource, PublicKey
from sidecar.model import Identity

MAX_ENTRIES = 10_000
"""Users active at once on one sidecar; more only costs verifications."""

MAX_BYTES = 32 * 1024 * 1024
"""Of header values held: 10 000 ordinary identities need 2 MB, 10 000 of the largest 80 MB."""

MAX_AGE_S = 300
"""How long an outcome may be reused, so that a change nobody told us of is noticed."""

MAX_REFUSED = 1_000
"""Bad signatures remembered. Small and apart: a flood of them cannot push good entries out."""

_MIN_COST_BYTES = MAX_BYTES // MAX_ENTRIES  # one size limit then bounds bytes and entries alike


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and the source it came from, to be asked whether the key is still in use."""

    key: PublicKey
    source: KeySource

    def is_current(self) -> bool:
        """Tell whether the pool still signs with this key.

        Raises:
            KeysUnavailable: The pool has no trustworthy key set at the moment.
        """
        current = self.source.current().get(self.key.kid)
        return current is self.key or current == self.key


@dataclass(frozen=True, slots=True)
class _Verified:
    identity: Identity
    signer: Signer
    good_until: float


class TokenCache:
    """What became of the tokens seen lately. A class because it is state that outlives a request.

    Keyed by the SHA-256 of the whole token: the token itself is not kept.
    """

    def __init__(self) -> None:
        self._verified: LRUCache[bytes, _Verified] = LRUCache(MAX_BYTES, getsizeof=_cost_bytes)
        self._refused: LRUCache[bytes, Signer] = LRUCache(MAX_REFUSED)

    def __len__(self) -> int:
        """Count the remembered identities."""
        return len(self._verified)

    def find(self, digest: bytes, now: float) -> Identity | None:
        """Return whom the token with this digest proves at `now`, or None if it must be verified.

        Raises:
            SignatureInvalid: The current key has refused this very token before.
            KeysUnavailable: The pool has no trustworthy key set at the moment.
        """
        entry = self._verified.get(digest)
        if entry is None:
            self._raise_if_refused(digest)
            return None
        if now < entry.good_until and entry.signer.is_current():
            return entry.identity
        self._verified.pop(digest, None)
        return None

    def remember(self, digest: bytes, identity: Identity, signer: Signer, now: float) -> None:
        """Keep an identity that was just verified with the key of `signer`."""
        good_until = min(identity.expires_at, now + MAX_AGE_S)
        self._verified[digest] = _Verified(identity, signer, good_until)

    def remember_refused(self, digest: bytes, signer: Signer) -> None:
        """Keep that the key of `signer` did not sign the token."""
        self._refused[digest] = signer

    def _raise_if_refused(self, digest: bytes) -> None:
        signer = self._refused.get(digest)
        if signer is None:
            return
        if signer.is_current():
            raise SignatureInvalid("a signature by the key that kid names")
        self._refused.pop(digest, None)


def _cost_bytes(entry: _Verified) -> int:
    identity = entry.identity
    fields = sum(len(name) + len(value) for name, value in identity.fields)
    names = sum(map(len, identity.groups)) + sum(map(len, identity.scopes))
    return max(_MIN_COST_BYTES, fields + 4 * names)
