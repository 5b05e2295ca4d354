"""Token → Identity, in the order of the house: cache, parse, pool, key, signature, claims, fields.

This file strings the checks together; each is made in the file that carries its name.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sidecar.errors import IssuerMismatch, KeyUnknown, SignatureInvalid
from sidecar.identity.cache import Signer, TokenCache
from sidecar.identity.claims import ClaimRules, check_claims, issuer_of
from sidecar.identity.field_values import encode_value
from sidecar.identity.keyset import KeySource
from sidecar.identity.token import UnverifiedToken, parse_token, verify_signature
from sidecar.model import BearerToken, Claims, Field, Identity, VerifiedClaims


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
    """

    def __init__(self, pools: Iterable[Pool], header_claims: Mapping[str, str]) -> None:
        self._pool_by_issuer = {issuer: pool for pool in pools for issuer in pool.rules.issuers}
        self._header_claims = tuple((name.encode(), claim) for name, claim in header_claims.items())
        self._cache = TokenCache()

    def authenticate(self, token: BearerToken, now: float) -> Identity:
        """Prove who sent `token`, at `now`.

        Args:
            token: As found in the request; nothing about it is trusted.
            now: Seconds since the epoch (UTC).

        Raises:
            KeyUnknown: No current key has this `kid`; fetching the keys anew may help.
            KeysUnavailable: The pool's keys are not known now, so that nothing can be said.
            TokenError: The token proves nothing; the leaf says why.
        """
        digest = hashlib.sha256(token).digest()
        identity = self._cache.find(digest, now)
        if identity is not None:
            return identity
        return self._verify(parse_token(token), digest, now)

    def _verify(self, token: UnverifiedToken, digest: bytes, now: float) -> Identity:
        pool = self._pool_of(token.unverified_claims)
        key = pool.keys.current().get(token.unverified_kid)
        if key is None:
            raise KeyUnknown(token.unverified_kid, pool.pool_id)
        signer = Signer(key, pool.keys)
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
        return Identity(
            fields=tuple(self._fields(verified)),
            groups=_groups(verified.claims.get("cognito:groups")),
            scopes=_scopes(verified.claims.get("scope")),
            token_use=verified.token_use,
            pool_id=pool_id,
            kid=kid,
            expires_at=verified.expires_at,
        )

    def _fields(self, verified: VerifiedClaims) -> Iterable[Field]:
        for name, claim in self._header_claims:
            source = _claim_for(claim, verified.token_use)
            value = verified.claims.get(source)
            if value is not None:
                yield name, encode_value(source, value)


def _claim_for(claim: str, token_use: str) -> str:
    return "cognito:username" if (claim, token_use) == ("username", "id") else claim


def _groups(value: object) -> frozenset[str]:
    # Anything but a list of texts grants nothing: the policy then refuses.
    names = value if isinstance(value, list) else ()
    return frozenset(name for name in names if isinstance(name, str) and name)


def _scopes(value: object) -> frozenset[str]:
    names = value.split(" ") if isinstance(value, str) else ()
    return frozenset(name for name in names if name)
