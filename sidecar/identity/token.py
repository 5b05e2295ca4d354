"""Compact JWS → signed claims, strictly (RFC 7515 §3.1, §5.2). This file never sees the time.

Everything that can be refused without cryptography is refused before it, so that hostile bytes
cost microseconds.
"""

from functools import lru_cache
from typing import NamedTuple

from sidecar.errors import AlgorithmNotAllowed, SignatureInvalid, TokenMalformed, TokenTooLarge
from sidecar.identity import base64url
from sidecar.identity.credentials import MAX_TOKEN_BYTES
from sidecar.identity.keyset import PublicKey
from sidecar.identity.strict_json import parse_object
from sidecar.model import BearerToken, Claims, SignedClaims

ALGORITHM = "RS256"
"""The only algorithm Cognito signs with; any other is an attempt to choose the check."""

# `crit` demands extensions we do not have, `b64` and `zip` change what the signed bytes mean, and
# `cty` announces a nested token (RFC 7515 §4.1.10-11, RFC 7797 §6, RFC 7516 §4.1.3, RFC 7519 §5.2).
# Cognito sends none of them.
_REFUSED_PARAMETERS = frozenset({"crit", "b64", "zip", "cty"})

_DOT = ord(".")


class UnverifiedToken(NamedTuple):
    """A well-formed token of which nothing is proven yet.

    A tuple because one is made for every new token, in half the time of a frozen dataclass.

    Attributes:
        unverified_kid: The key that the header claims.
        unverified_claims: The payload, good only for choosing the pool to check it with.
        signing_input: The bytes that must be signed.
        signature: The bytes that must be their signature.
    """

    unverified_kid: str
    unverified_claims: Claims
    signing_input: bytes
    signature: bytes

    def __repr__(self) -> str:
        """Show nothing: it must not be logged."""
        return "UnverifiedToken()"


def parse_token(token: BearerToken) -> UnverifiedToken:
    """Read a token in its one canonical spelling. Does not check the signature or any claim.

    Raises:
        TokenTooLarge: More than 8 KiB.
        TokenMalformed: Not three canonical base64url parts, header and payload not strict JSON
            objects, a header parameter that changes the meaning of the rest, no usable `kid`.
        AlgorithmNotAllowed: `alg` is not RS256.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenTooLarge("at most 8 KiB")
    signing_input, _, signature = token.rpartition(b".")
    header, dot, payload = signing_input.partition(b".")
    if not dot or _DOT in payload:
        raise TokenMalformed("three parts separated by dots")
    kid = _read_header(header)
    claims = _parse_part(payload, "payload")
    return UnverifiedToken(kid, claims, signing_input, _decode_signature(signature))


def verify_signature(token: UnverifiedToken, key: PublicKey) -> SignedClaims:
    """Vouch for the payload of `token` if `key` signed it. Does not check any claim.

    Raises:
        SignatureInvalid: `key` did not sign these bytes.
    """
    if not key.verifies(token.signing_input, token.signature):
        raise SignatureInvalid("a signature by the key that kid names")
    return SignedClaims(token.unverified_claims)


def _parse_part(part: bytes, name: str) -> dict[str, object]:
    try:
        return parse_object(base64url.decode(part))
    except ValueError as error:
        raise TokenMalformed(f"a {name} that is one strict JSON object") from error


def _decode_signature(part: bytes) -> bytes:
    try:
        signature = base64url.decode(part)
    except ValueError as error:
        raise TokenMalformed("a signature in canonical base64url") from error
    if not signature:
        raise TokenMalformed("a signature")
    return signature


# All tokens of one key have the same header, and reading it anew takes 3 of 12 µs. The parts are
# bounded by the token's limit and in number, so a flood of made-up headers holds 0.5 MB at most.
@lru_cache(maxsize=32)
def _read_header(part: bytes) -> str:
    unverified_header = _parse_part(part, "header")
    # jku, x5u, x5c and jwk are simply never read: a key comes from the pool or from nowhere.
    if unverified_header.get("alg") != ALGORITHM:
        raise AlgorithmNotAllowed(ALGORITHM)
    if not _REFUSED_PARAMETERS.isdisjoint(unverified_header):
        raise TokenMalformed("a header without crit, b64, zip and cty")
    if not isinstance(unverified_header.get("typ", ""), str):
        raise TokenMalformed("a typ that is text")
    kid = unverified_header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenMalformed("a kid that is text")
    return kid
