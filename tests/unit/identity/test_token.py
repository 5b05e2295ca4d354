"""Compact JWS → signed claims: one spelling, one algorithm, nothing that changes the meaning."""

import hashlib
import json

import pytest

from sidecar.errors import (
    AlgorithmNotAllowed,
    SignatureInvalid,
    TokenMalformed,
    TokenTooLarge,
)
from sidecar.identity import base64url
from sidecar.identity.credentials import MAX_TOKEN_BYTES
from sidecar.identity.keyset import parse_key_set
from sidecar.identity.token import parse_token, verify_signature
from sidecar.model import BearerToken
from tests.support import mint

HEADER = {"kid": mint.KID, "alg": "RS256"}
PADDING_OF_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


def malformed(token: bytes) -> TokenMalformed:
    """Parse a token that must be malformed."""
    with pytest.raises(TokenMalformed) as refused:
        parse_token(BearerToken(token))
    return refused.value


def test_valid_token_is_taken_apart() -> None:
    """Everything needed to verify it comes out as it went in."""
    token = mint.mint()
    parsed = parse_token(token)
    header, payload, signature = token.split(b".")
    assert parsed.unverified_kid == mint.KID
    assert parsed.unverified_claims == mint.access_claims()
    assert parsed.signing_input == header + b"." + payload
    assert parsed.signature == base64url.decode(signature)


def test_parsed_token_has_no_readable_form() -> None:
    """It cannot slip into a log line: `repr` shows neither claims nor signature."""
    assert repr(parse_token(mint.mint())) == "UnverifiedToken()"


def test_signature_of_the_key_is_vouched_for() -> None:
    """The payload comes back as signed claims."""
    key = parse_key_set(mint.jwks())[mint.KID]
    assert verify_signature(parse_token(mint.mint()), key).claims == mint.access_claims()


def test_signature_of_another_key_is_refused() -> None:
    """The named key must have made it."""
    key = parse_key_set(mint.jwks())[mint.KID]
    with pytest.raises(SignatureInvalid) as refused:
        verify_signature(parse_token(mint.mint(key=mint.private_key("other"))), key)
    assert refused.value.expected == "a signature by the key that kid names"


def test_largest_token_is_parsed() -> None:
    """The limit itself is allowed; one byte more is not."""
    token = mint.mint(filler="x")
    room = MAX_TOKEN_BYTES - len(token)
    largest = mint.mint(filler="x" * (1 + room * 3 // 4))
    assert len(largest) == MAX_TOKEN_BYTES
    assert parse_token(largest).unverified_kid == mint.KID
    with pytest.raises(TokenTooLarge) as refused:
        parse_token(BearerToken(largest + b"A"))
    assert refused.value.expected == "at most 8 KiB"


@pytest.mark.parametrize("parts", [0, 1, 2, 4, 5, 6])
def test_other_number_of_parts_is_malformed(parts: int) -> None:
    """A JWS has three parts; a JWE has five."""
    part = mint.mint().split(b".")[0]
    assert malformed(b".".join([part] * parts)).expected == "three parts separated by dots"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_empty_part_is_malformed(index: int) -> None:
    """No part may be empty: there are no detached payloads and no unsigned tokens."""
    parts = mint.mint().split(b".")
    parts[index] = b""
    assert ["header", "payload", "signature"][index] in malformed(b".".join(parts)).expected


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("junk", [b"=", b" ", b"\n", b"!", b"+", b"/", b"\0", b"\xff", b"%"])
def test_junk_after_a_part_is_malformed(index: int, junk: bytes) -> None:
    """Each part has one spelling, and is one document."""
    parts = mint.mint().split(b".")
    parts[index] += junk
    assert ["header", "payload", "signature"][index] in malformed(b".".join(parts)).expected


@pytest.mark.parametrize(
    "algorithm",
    [
        None,
        "none",
        "None",
        "nOnE",
        "NONE",
        "HS256",
        "HS512",
        "RS384",
        "RS512",
        "rs256",
        "Rs256",
        "PS256",
        "ES256",
        "EdDSA",
        "",
        " RS256",
        "RS256 ",
        ["RS256"],
        {"RS256": 1},
        256,
        True,
        "RS256\0",
    ],
)
def test_algorithm_other_than_rs256_is_not_allowed(algorithm: object) -> None:
    """The token does not choose how it is checked."""
    token = mint.mint(header={"kid": mint.KID, "alg": algorithm})
    with pytest.raises(AlgorithmNotAllowed) as refused:
        parse_token(token)
    assert refused.value.expected == "RS256"


def test_algorithm_absent_is_not_allowed() -> None:
    """There is no default."""
    with pytest.raises(AlgorithmNotAllowed):
        parse_token(mint.mint(header={"kid": mint.KID}))


def test_algorithm_none_without_signature_is_not_allowed() -> None:
    """The classic attack has an empty third part, and gets the reason that says what it is."""
    signed = mint.mint(header={"alg": "none", "kid": mint.KID})
    with pytest.raises(AlgorithmNotAllowed):
        parse_token(BearerToken(signed[: signed.rindex(b".") + 1]))


@pytest.mark.parametrize(
    "parameter",
    [
        {"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"crit": None},
        {"crit": "x"}, {"b64": False}, {"b64": True}, {"zip": "DEF"}, {"zip": None}, {"cty": "JWT"},
        {"cty": ""},
    ],
)  # fmt: skip
def test_parameter_that_changes_the_meaning_is_malformed(parameter: dict[str, object]) -> None:
    """Extensions that must be understood are not, so the token is refused, whatever they say."""
    token = mint.mint(header=HEADER | parameter)
    assert malformed(token).expected == "a header without crit, b64, zip and cty"


@pytest.mark.parametrize(
    "parameter",
    [
        {"jku": "http://127.0.0.1/"}, {"x5u": "http://127.0.0.1/"}, {"x5c": ["x"]}, {"x5t": "x"},
        {"jwk": {"kty": "RSA"}}, {"typ": "JWT"}, {"typ": "at+jwt"}, {"typ": ""}, {"future": [1]},
    ],
)  # fmt: skip
def test_other_parameter_is_ignored(parameter: dict[str, object]) -> None:
    """Unknown parameters must be ignored (RFC 7515 §4); where keys could be found are too."""
    assert parse_token(mint.mint(header=HEADER | parameter)).unverified_kid == mint.KID


@pytest.mark.parametrize("typ", [None, 1, True, ["JWT"], {}])
def test_type_that_is_no_text_is_malformed(typ: object) -> None:
    """`typ` is text or absent."""
    assert malformed(mint.mint(header=HEADER | {"typ": typ})).expected == "a typ that is text"


@pytest.mark.parametrize("kid", [None, "", 1, 1.5, True, [mint.KID], {mint.KID: 1}])
def test_kid_that_is_no_text_is_malformed(kid: object) -> None:
    """A key is named, by text."""
    assert malformed(mint.mint(header=HEADER | {"kid": kid})).expected == "a kid that is text"


def test_kid_absent_is_malformed() -> None:
    """No key is ever guessed."""
    assert malformed(mint.mint(header={"alg": "RS256"})).expected == "a kid that is text"


@pytest.mark.parametrize("kid", ["../../x", "a\0b", "x" * 5000, "https://evil/", "é", "\u2028"])
def test_strange_kid_is_only_a_name(kid: str) -> None:
    """Any text may name a key; it will be looked up exactly."""
    assert parse_token(mint.mint(header=HEADER | {"kid": kid})).unverified_kid == kid


@pytest.mark.parametrize(
    "document", [b"[]", b"null", b'"x"', b"", b"{", b'{"a":1,"a":1}', b'{"a":NaN}']
)
def test_part_that_is_no_strict_object_is_malformed(document: bytes) -> None:
    """Header and payload are strict JSON objects; see strict_json for what that means."""
    assert (
        malformed(mint.mint(header=document)).expected == "a header that is one strict JSON object"
    )
    assert malformed(mint.mint(document)).expected == "a payload that is one strict JSON object"


def test_bad_signature_part_says_what_was_expected() -> None:
    """Whether it cannot be read or is not there."""
    content = mint.mint().rpartition(b".")[0]
    assert malformed(content + b".!").expected == "a signature in canonical base64url"
    assert malformed(content + b".").expected == "a signature"


def test_error_of_a_library_does_not_carry_the_document() -> None:
    """What a log might print of an error holds nothing the client sent."""
    error = malformed(mint.mint(b'{"secret":"hush"'))
    assert "hush" not in f"{error} {error!r} {error.__cause__} {error.__cause__!r}"


def test_header_with_white_space_is_parsed() -> None:
    """White space inside the JSON is the issuer's business: it is signed, as in RFC 7515 A.1."""
    header = json.dumps(HEADER, indent=2).replace("\n", "\r\n").encode()
    assert parse_token(mint.mint(header=header)).unverified_kid == mint.KID


def forge(encoded_message: bytes) -> bytes:
    """Make the signature whose RSA public operation gives exactly this message."""
    numbers = mint.private_key().private_numbers()
    modulus = numbers.public_numbers.n
    value = pow(int.from_bytes(encoded_message, "big"), numbers.d, modulus)
    return value.to_bytes(256, "big")


def forgeries() -> dict[str, bytes]:
    """Make signatures over a token that only a sloppy PKCS#1 check accepts."""
    signing_input = mint.mint().rpartition(b".")[0]
    good = parse_token(mint.mint()).signature
    digest = _sha256(signing_input)
    info = PADDING_OF_SHA256 + digest
    modulus = mint.private_key().public_key().public_numbers().n

    def padded(info: bytes, filler: bytes = b"\xff", kind: bytes = b"\1") -> bytes:
        return b"\0" + kind + filler * (256 - 3 - len(info)) + b"\0" + info

    without_null = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + digest
    garbage = b"\0\1" + b"\xff" * 8 + b"\0" + info
    return {
        "garbage after the digest (Bleichenbacher 2006)": forge(garbage.ljust(256, b"\0")),
        "garbage instead of the filler": forge(padded(info, b"\x5a")),
        "block type 2": forge(padded(info, kind=b"\2")),
        "block type 0": forge(padded(info, b"\0", kind=b"\0")),
        "no digest info": forge(padded(digest)),
        "digest info of SHA-1": forge(
            padded(bytes.fromhex("3021300906052b0e03021a05000414") + digest[:20])
        ),
        "algorithm without NULL": forge(padded(without_null)),
        "digest of something else": forge(padded(PADDING_OF_SHA256 + _sha256(b"x"))),
        "all zero": bytes(256),
        "one": (1).to_bytes(256, "big"),
        "the modulus": modulus.to_bytes(256, "big"),
        "one less than the modulus": (modulus - 1).to_bytes(256, "big"),
        "negated": (modulus - int.from_bytes(good, "big")).to_bytes(256, "big"),
        "leading zero": b"\0" + good,
        "trailing zero": good + b"\0",
        "shortened": good[:-1],
        "without its first byte": good[1:],
        "twice": good + good,
        "one byte": b"\1",
        "1 MB": bytes(1_000_000),
    }


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@pytest.mark.parametrize("name", list(forgeries()))
def test_forged_signature_is_refused(name: str) -> None:
    """Only the one right PKCS#1 v1.5 encoding is a signature (RFC 8017 §8.2.2)."""
    key = parse_key_set(mint.jwks())[mint.KID]
    parsed = parse_token(mint.mint())
    assert key.verifies(parsed.signing_input, parsed.signature)
    assert not key.verifies(parsed.signing_input, forgeries()[name])


def test_signature_plus_modulus_is_refused() -> None:
    """A signature is a number below the modulus; adding it makes another spelling of the same."""
    key = parse_key_set(mint.jwks())[mint.KID]
    respelt = None
    for issued in range(200):
        parsed = parse_token(mint.mint(iat=issued))
        number = int.from_bytes(parsed.signature, "big") + key.modulus
        if number.bit_length() <= 2048:
            respelt = number.to_bytes(256, "big")
            assert key.verifies(parsed.signing_input, parsed.signature)
            assert not key.verifies(parsed.signing_input, respelt)
    assert respelt is not None
