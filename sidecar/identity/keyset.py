"""JWKS document → usable keys (RFC 7517). A bad entry is skipped; a bad document is an error."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from jose import jwk
from jose.backends import RSAKey
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyRSAKey

from sidecar.identity import base64url
from sidecar.identity.strict_json import parse_object

MIN_MODULUS_BITS = 2048
"""NIST SP 800-57: below 2048 bits RSA no longer protects. Cognito uses 2048."""

MAX_MODULUS_BITS = 8192
"""Verification grows with the square of the modulus; a larger key would be a denial of service."""

EXPONENT = 65537
"""Cognito's exponent. Small exponents (1, 3) make forged PKCS#1 signatures possible."""

_ALGORITHM = "RS256"


class KeySetInvalid(ValueError):
    """The document is no JWKS, or none of its keys can be used."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One RSA key of a pool. Equal keys have the same `kid` and modulus.

    Attributes:
        kid: Its name in the key set.
        modulus: n, at least 2048 bits; the exponent is always 65537.
    """

    kid: str
    modulus: int
    _verifier: Key = field(compare=False, repr=False)

    def verifies(self, signing_input: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is this key's RS256 signature of `signing_input`.

        Source: RFC 7518 §3.3 (RSASSA-PKCS1-v1_5 with SHA-256).
        """
        return bool(self._verifier.verify(signing_input, signature))


class KeySet(Mapping[str, PublicKey]):
    """The usable keys of one pool by `kid`: an exact lookup, never a path or URL.

    A class of its own rather than a dict, so that no one can put a key in after parsing.
    """

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = dict(keys)

    def __getitem__(self, kid: str) -> PublicKey:
        """Return the key named exactly `kid`."""
        return self._keys[kid]

    def find(self, kid: str) -> PublicKey | None:
        """Return the key named exactly `kid`, if there is one; in half of what `get` takes."""
        return self._keys.get(kid)

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the keys."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Count the usable keys."""
        return len(self._keys)


class KeySource(Protocol):
    """Where the keys of one pool come from; `cognito.jwks` implements it."""

    def current(self) -> KeySet:
        """Return the keys that the pool signs with now, without waiting.

        Raises:
            KeysUnavailable: None were ever fetched, or they are too old to be trusted.
        """
        ...


def parse_key_set(document: bytes) -> KeySet:
    """Read the usable keys of a JWKS document.

    Entries that are not RSA signing keys for RS256 with at least 2048 bits and exponent 65537 are
    skipped, for a set may hold keys for other purposes. A `kid` that appears twice serves neither.

    Args:
        document: The bytes as fetched; their number is limited by the caller.

    Raises:
        KeySetInvalid: Not a strict JSON object with a list `keys`, or without one usable key.
    """
    try:
        entries = parse_object(document).get("keys")
    except ValueError as error:
        raise KeySetInvalid("not strict JSON") from error
    if not isinstance(entries, list):
        raise KeySetInvalid("no list named keys")
    named = [entry for entry in entries if isinstance(entry, dict)]
    count = Counter(entry["kid"] for entry in named if isinstance(entry.get("kid"), str))
    keys = {}
    for entry in named:
        key = _parse_key(entry)
        if key is not None and count[key.kid] == 1:
            keys[key.kid] = key
    if not keys:
        raise KeySetInvalid("no usable RSA key")
    return KeySet(keys)


def assert_cryptography_backend(chosen: type[Key] | None = RSAKey) -> None:
    """Make sure that signatures are checked by `cryptography`, not by a pure Python fallback.

    Args:
        chosen: What python-jose verifies RSA signatures with.

    Raises:
        RuntimeError: python-jose chose another backend, which is slower and less careful.
    """
    if chosen is not CryptographyRSAKey:
        msg = "python-jose does not use its cryptography backend; install cryptography"
        raise RuntimeError(msg)


def _parse_key(entry: dict[str, object]) -> PublicKey | None:
    kid, modulus = entry.get("kid"), entry.get("n")
    usable = (
        isinstance(kid, str)
        and kid != ""
        and entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", _ALGORITHM) == _ALGORITHM
        and _allows_verification(entry.get("key_ops"))
        and entry.get("e") == "AQAB"
    )
    if not usable or not isinstance(kid, str) or not isinstance(modulus, str):
        return None
    try:
        number = int.from_bytes(base64url.decode(modulus.encode("ascii")), "big")
    except ValueError:
        return None
    if not MIN_MODULUS_BITS <= number.bit_length() <= MAX_MODULUS_BITS or number % 2 == 0:
        return None
    # Only the public numbers are handed on: a document that leaks `d` must not make a private key.
    verifier = jwk.construct({"kty": "RSA", "n": modulus, "e": "AQAB"}, _ALGORITHM)
    return PublicKey(kid, number, verifier)


def _allows_verification(key_ops: object) -> bool:
    return key_ops is None or (isinstance(key_ops, list) and "verify" in key_ops)
