"""Token → Identity, in the order of the house: cache, parse, pool, key, signature, claims, fields.

This file strings the checks together; each is made in the file that carries its name.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sidecar.errors import IssuerMismatch, KeyUnknown, SignatureInvalid, TokenError
from sidecar.identity.cache import Signer, TokenCache
from sidecar.identity.claims import USERNAME_CLAIM, ClaimRules, check_claims, issuer_of
from sidecar.identity.field_values import encode_value
from sidecar.identity.keyset import KeySource
from sidecar.identity.token import UnverifiedToken, parse_token, verify_signature
from sidecar.model import BearerToken, Claims, Identity, VerifiedClaims


@dataclass(frozen=True, slots=True)
class Pool:
    """One user pool that callers may come from.

    Attributes:
        pool_id: As in `region_id`.
        rules: What its tokens must say.
        keys: The keys it signs with.
    """

    pool_id: str
    rules: ClaimRules
    keys: KeySource


class Authenticator:
    """Proves who sent a token. A class because it owns the cache of outcomes.

    Args:
        pools: The pools to accept; at least one, no two with a common issuer.
        header_claims: Header name → claim name, for what the backend is told. `username` stands
            for `cognito:username` where an id token is concerned.

    Raises:
        ValueError: Two pools have an issuer in common.
    """

    def __init__(self, pools: Iterable[Pool], header_claims: Mapping[str, str]) -> None:
        self._pool_by_issuer = _by_issuer(pools)
        self._header_claims = {
            token_use: tuple(
                (name.encode("ascii"), username if claim == "username" else claim)
                for name, claim in header_claims.items()
            )
            for token_use, username in USERNAME_CLAIM.items()
        }
        self._cache = TokenCache()

    @property
    def cache(self) -> TokenCache:
        """The outcomes remembered, for their numbers."""
        return self._cache

    def authenticate(self, token: BearerToken, now: float) -> Identity:
        """Prove who sent `token`, at `now`.

        Args:
            token: As found in the request; nothing about it is trusted.
            now: Seconds since the epoch (UTC).

        Raises:
            KeyUnknown: No current key has this `kid`; fetching the keys anew may help.
            KeysUnavailable: The pool's keys are not known now, so that nothing can be said.
            TokenError: The token proves nothing; the leaf says why, `kid` and `pool_id` of what.
        """
        digest = hashlib.sha256(token).digest()
        identity = self._cache.find(digest, now)
        if identity is not None:
            return identity
        unverified = parse_token(token)
        pool = None
        try:
            pool = self._pool_of(unverified.unverified_claims)
            return self._verify(unverified, pool, digest, now)
        except TokenError as error:
            error.kid = unverified.unverified_kid
            error.pool_id = pool.pool_id if pool is not None else ""
            raise

    def _verify(self, token: UnverifiedToken, pool: Pool, digest: bytes, now: float) -> Identity:
        key = pool.keys.current().find(token.unverified_kid)
        if key is None:
            raise KeyUnknown(token.unverified_kid, pool.pool_id)
        signer = Signer(key, pool.keys, pool.pool_id)
        try:
            signed = verify_signature(token, key)
        except SignatureInvalid:
            self._cache.remember_refused(digest, signer)
            raise
        verified = check_claims(signed, pool.rules, now)
        identity = self._identity(verified, pool.pool_id, key.kid)
        self._cache.remember(digest, identity, signer, now)
        return identity

    def _pool_of(self, unverified_claims: Claims) -> Pool:
        # The claimed issuer only chooses whose keys and rules the token is held against; a token
        # that lies about it fails the signature, and one that does not is checked again there.
        pool = self._pool_by_issuer.get(issuer_of(unverified_claims))
        if pool is None:
            raise IssuerMismatch(" or ".join(sorted(self._pool_by_issuer)))
        return pool

    def _identity(self, verified: VerifiedClaims, pool_id: str, kid: str) -> Identity:
        claims, token_use, expires_at = verified
        fields = [
            (name, encode_value(claim, claims[claim]))
            for name, claim in self._header_claims[token_use]
            if claim in claims
        ]
        groups, scopes = _groups(claims.get("cognito:groups")), _scopes(claims.get("scope"))
        digest = hashlib.sha256(str(claims["sub"]).encode()).hexdigest()[:16]
        # By position: naming the eight takes as long again as making the tuple.
        return Identity(tuple(fields), groups, scopes, token_use, pool_id, kid, expires_at, digest)


def _by_issuer(pools: Iterable[Pool]) -> dict[str, Pool]:
    pool_by_issuer: dict[str, Pool] = {}
    for pool in pools:
        for issuer in pool.rules.issuers:
            # Else the rules of one pool would silently stand for the other's.
            if pool_by_issuer.setdefault(issuer, pool) is not pool:
                msg = f"two pools with the issuer {issuer}"
                raise ValueError(msg)
    return pool_by_issuer


def _groups(value: object) -> frozenset[str]:
    # Anything but a list of texts grants nothing: the policy then refuses.
    if not isinstance(value, list):
        return _NONE
    return frozenset(name for name in value if isinstance(name, str)) - _BLANK


# The tokens of one client mostly have the same: one set for all of them, not 300 bytes for each.
@lru_cache(maxsize=32)
def _scopes(value: object) -> frozenset[str]:
    # Absent, or text: check_claims has seen to it.
    return frozenset(value.split(" ")) - _BLANK if isinstance(value, str) else _NONE


_NONE: frozenset[str] = frozenset()
_BLANK = frozenset({""})
