"""Tokens as Cognito issues them, and with one thing broken.

`mint()` makes a valid access token; one keyword breaks one thing.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sidecar.identity import base64url
from sidecar.model import BearerToken

POOL_ID = "eu-west-1_TestPool1"
CLIENT_ID = "1example23456789"
ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}"
NOW = 1_800_000_000
SUB = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
USERNAME = "worf"
KID = "ab/c+d="  # Cognito's kids are base64 with all its characters


@cache
def private_key(name: str = "signing", bits: int = 2048) -> rsa.RSAPrivateKey:
    """Make, once per name, a private key; `signing` is the one that the pool signs with."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(key: rsa.RSAPrivateKey | None = None, kid: str = KID, **changes: object) -> dict[str, Any]:
    """Describe the public half of a key the way Cognito does; a change to None removes a member."""
    numbers = (key or private_key()).public_key().public_numbers()
    entry = {
        "alg": "RS256",
        "e": _number(numbers.e),
        "kid": kid,
        "kty": "RSA",
        "n": _number(numbers.n),
        "use": "sig",
        **changes,
    }
    return {name: value for name, value in entry.items() if value is not None}


def jwks(*entries: Mapping[str, object]) -> bytes:
    """Write a JWKS document; of the pool's own key if none is given."""
    return json.dumps({"keys": list(entries) or [jwk()]}).encode()


def access_claims(now: float = NOW, **changes: object) -> dict[str, Any]:
    """Make the payload of an access token issued a minute before `now`; None removes a claim."""
    claims = {
        "sub": SUB,
        "iss": ISSUER,
        "client_id": CLIENT_ID,
        "origin_jti": "0b2ee0b1-8d3b-4a2c-9a8b-1f2e3d4c5b6a",
        "event_id": "5d1f3b3e-43a6-4dc6-8c5e-4f4f5bb7b0d1",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": int(now) - 60,
        "exp": int(now) + 3540,
        "iat": int(now) - 60,
        "jti": "7e0a6a5e-4f2c-4a5d-8a1e-6f7b8c9d0e1f",
        "username": USERNAME,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def id_claims(now: float = NOW, **changes: object) -> dict[str, Any]:
    """Make the payload of an id token issued a minute before `now`; None removes a claim."""
    claims = {
        "sub": SUB,
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "at_hash": "9kqYt0wYkT1bZ2i4WnZl0A",
        "token_use": "id",
        "email": "worf@example.com",
        "email_verified": True,
        "cognito:username": USERNAME,
        "auth_time": int(now) - 60,
        "exp": int(now) + 3540,
        "iat": int(now) - 60,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def claim(name: str, value: object) -> dict[str, Any]:
    """Name one claim whose name is no keyword: `mint(**claim("cognito:groups", ["admin"]))`."""
    return {name: value}


def mint(
    claims: Mapping[str, object] | bytes | None = None,
    *,
    header: Mapping[str, object] | bytes | None = None,
    key: rsa.RSAPrivateKey | None = None,
    signature: bytes | None = None,
    now: float = NOW,
    **changes: object,
) -> BearerToken:
    """Make a token.

    Args:
        claims: Payload, or its exact bytes; a valid access token's by default.
        header: JOSE header, or its exact bytes.
        key: Who signs; the pool's key by default.
        signature: Exact signature bytes instead of a right one.
        now: Seconds since the epoch at which the token is valid.
        changes: Claims to change in the default payload; None removes one.
    """
    payload = access_claims(now, **changes) if claims is None else claims
    jose_header = {"kid": KID, "alg": "RS256"} if header is None else header
    signing_input = _part(jose_header) + b"." + _part(payload)
    if signature is None:
        signature = sign(signing_input, key or private_key())
    return BearerToken(signing_input + b"." + base64url.encode(signature))


def sign(signing_input: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """Sign as RS256 does."""
    return key.sign(signing_input, padding.PKCS1v15(), hashes.SHA256())


def _part(content: Mapping[str, object] | bytes) -> bytes:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64url.encode(raw)


def _number(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8)).decode()
