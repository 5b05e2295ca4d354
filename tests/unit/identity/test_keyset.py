"""A key set serves the keys that can be trusted, and nothing else of the document."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jose.backends.base import Key

from sidecar.identity import base64url
from sidecar.identity.keyset import (
    MAX_MODULUS_BITS,
    KeySetInvalid,
    assert_cryptography_backend,
    parse_key_set,
)
from tests.support import mint

GOOD = mint.jwk(mint.private_key("good"), "good")
EC = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec", "use": "sig", "alg": "ES256"}


def number(value: int) -> str:
    """Write a number as a JWK does."""
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()


def weak_jwk(bits: int, exponent: int = 65537) -> dict[str, Any]:
    """Describe a real key that is too weak."""
    key = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
    return mint.jwk(key)


def test_cognito_document_gives_both_keys() -> None:
    """Cognito publishes two keys: the current one and the next."""
    keys = parse_key_set(mint.jwks(mint.jwk(), GOOD))
    assert set(keys) == {mint.KID, "good"}
    assert len(keys) == 2
    assert keys["good"].kid == "good"
    modulus = mint.private_key("good").public_key().public_numbers().n
    assert keys["good"].modulus == modulus


@pytest.mark.parametrize("kid", [mint.KID, "../../x", "a\0b", "é", " ", "/+="])
def test_kid_is_looked_up_exactly(kid: str) -> None:
    """A kid is text like any other; nothing near it is found."""
    keys = parse_key_set(mint.jwks(mint.jwk(kid=kid)))
    assert keys[kid].kid == kid
    for near in (kid + " ", kid.upper() + "x", "", kid[:-1], kid.replace("/", "_") + "_"):
        assert keys.get(near) is None


@pytest.mark.parametrize(
    "document",
    [
        b"", b"null", b"[]", b"<html></html>", b"{}", b'{"keys":null}', b'{"keys":{}}',
        b'{"keys":"x"}', b'{"keys":[]}', b'{"keys":[null,1,"x",[],{}]}', b"\0" * 100,
        b'{"keys":[],"keys":[]}', b'{"Keys":[]}', b"\x1f\x8b\x08\0", b"[" * 200_000,
        b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)  # fmt: skip
def test_document_without_a_usable_key_is_invalid(document: bytes) -> None:
    """A bad document is an error, so that it never replaces a good one."""
    with pytest.raises(KeySetInvalid):
        parse_key_set(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"{", "not strict JSON"),
        (b"{}", "no list named keys"),
        (b'{"keys":[]}', "no usable RSA key"),
    ],
)
def test_invalid_document_says_what_is_wrong(document: bytes, message: str) -> None:
    """The message is for a log line and quotes nothing of the document."""
    with pytest.raises(KeySetInvalid, match=f"^{message}$"):
        parse_key_set(document)


LEADING_ZERO = base64url.encode(b"\0" + base64url.decode(mint.jwk()["n"].encode())).decode()

UNUSABLE = {
    "EC": EC,
    "oct": {"kty": "oct", "k": "AAAA", "kid": "x", "alg": "RS256"},
    "kty absent": mint.jwk(kty=None),
    "kty in lower case": mint.jwk(kty="rsa"),
    "use enc": mint.jwk(use="enc"),
    "use null": {**mint.jwk(), "use": None},
    "alg RS512": mint.jwk(alg="RS512"),
    "alg HS256": mint.jwk(alg="HS256"),
    "alg RSA-OAEP": mint.jwk(alg="RSA-OAEP"),
    "alg none": mint.jwk(alg="none"),
    "key_ops without verify": mint.jwk(key_ops=["encrypt"]),
    "key_ops as text": mint.jwk(key_ops="verify"),
    "key_ops empty": mint.jwk(key_ops=[]),
    "kid absent": {name: value for name, value in mint.jwk().items() if name != "kid"},
    "kid empty": mint.jwk(kid=""),
    "kid a number": {**mint.jwk(), "kid": 1},
    "kid a list": {**mint.jwk(), "kid": ["x"]},
    "n absent": mint.jwk(n=None),
    "n a number": mint.jwk(n=5),
    "n empty": mint.jwk(n=""),
    "n padded": mint.jwk(n=mint.jwk()["n"] + "=="),
    "n not base64url": mint.jwk(n="+" + mint.jwk()["n"][1:]),
    "n not ASCII": mint.jwk(n="é" + mint.jwk()["n"][1:]),
    "n even": mint.jwk(n=number(1 << 2047)),
    "n of 1024 bits": weak_jwk(1024),
    "n of 2047 bits": mint.jwk(n=number((1 << 2047) - 1)),
    "n of 8193 bits": mint.jwk(n=number((1 << MAX_MODULUS_BITS) + 1)),
    "e absent": mint.jwk(e=None),
    "e = 1": mint.jwk(e="AQ"),
    "e = 3": weak_jwk(2048, 3),
    "e with a leading zero": mint.jwk(e="AAEAAQ"),
    "e as a number": mint.jwk(e=65537),
}


@pytest.mark.parametrize("name", list(UNUSABLE))
def test_unusable_entry_is_skipped(name: str) -> None:
    """It is not served, and what stands beside it is."""
    bad = UNUSABLE[name]
    keys = parse_key_set(json.dumps({"keys": [bad, GOOD, None, 1, "x", []]}).encode())
    assert set(keys) == {"good"}
    with pytest.raises(KeySetInvalid):
        parse_key_set(json.dumps({"keys": [bad]}).encode())


@pytest.mark.parametrize(
    "entry",
    [
        mint.jwk(use=None), mint.jwk(alg=None), mint.jwk(key_ops=["verify"]),
        mint.jwk(key_ops=["sign", "verify"]), mint.jwk(x5c=["x"]), mint.jwk(n=LEADING_ZERO),
    ],
)  # fmt: skip
def test_optional_member_absent_or_fitting_is_usable(entry: dict[str, Any]) -> None:
    """Cognito names use and alg, others need not (RFC 7517 §4)."""
    assert parse_key_set(mint.jwks(entry))[mint.KID].verifies(*signed())


def signed() -> tuple[bytes, bytes]:
    """Make some bytes and the pool key's signature of them."""
    return b"bytes", mint.sign(b"bytes", mint.private_key())


@pytest.mark.parametrize("bits", [2048, 3072, MAX_MODULUS_BITS])
def test_modulus_within_the_limits_is_usable(bits: int) -> None:
    """From 2048 to 8192 bits; the size alone decides."""
    keys = parse_key_set(mint.jwks(mint.jwk(n=number((1 << bits) - 1))))
    assert keys[mint.KID].modulus.bit_length() == bits


def test_duplicated_kid_serves_neither_key() -> None:
    """Which of two keys is meant is not for us to guess, even if one is for another purpose."""
    other = mint.jwk(mint.private_key("other"))
    ec = {**EC, "kid": mint.KID}
    for entries in (
        [mint.jwk(), other, GOOD],
        [GOOD, mint.jwk(), mint.jwk()],
        [ec, mint.jwk(), GOOD],
    ):
        assert set(parse_key_set(mint.jwks(*entries))) == {"good"}
    with pytest.raises(KeySetInvalid):
        parse_key_set(mint.jwks(mint.jwk(), other))


def test_private_members_are_ignored() -> None:
    """A document that leaks a private key is still only read for the public one."""
    numbers = mint.private_key().private_numbers()
    entry = mint.jwk(d=number(numbers.d), p=number(numbers.p), q="nonsense")
    key = parse_key_set(mint.jwks(entry))[mint.KID]
    assert key.verifies(*signed())
    assert "PrivateKey" not in repr(key)


def test_key_verifies_only_its_own_signature_of_the_same_bytes() -> None:
    """One other bit, byte or key makes it false, and never an exception."""
    key = parse_key_set(mint.jwks())[mint.KID]
    message, signature = signed()
    assert key.verifies(message, signature)
    assert not key.verifies(message + b"x", signature)
    assert not key.verifies(message, signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not key.verifies(message, b"")
    assert not key.verifies(message, mint.sign(message, mint.private_key("other")))


def test_keys_are_equal_by_name_and_modulus() -> None:
    """A refresh that says the same makes equal keys; another modulus under the name does not."""
    first, again = parse_key_set(mint.jwks()), parse_key_set(mint.jwks(GOOD, mint.jwk()))
    other = parse_key_set(mint.jwks(mint.jwk(mint.private_key("other"))))
    assert first[mint.KID] == again[mint.KID]
    assert first[mint.KID] != other[mint.KID]


def test_key_set_cannot_be_added_to() -> None:
    """After parsing nobody puts a key in."""
    keys = parse_key_set(mint.jwks())
    assert not hasattr(keys, "__setitem__")


def test_cryptography_backend_is_in_use() -> None:
    """The installed python-jose checks signatures with `cryptography`."""
    assert_cryptography_backend()


def test_other_backend_is_a_start_up_error() -> None:
    """Where python-jose fell back to another backend, the sidecar does not start."""
    with pytest.raises(
        RuntimeError,
        match=r"^python-jose does not use its cryptography backend; install cryptography$",
    ):
        assert_cryptography_backend(Key)
