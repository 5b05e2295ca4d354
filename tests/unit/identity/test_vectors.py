"""Examples of the standards, where they apply: RFC 7515 appendix A and E, RFC 7520 section 4."""

import json

import pytest

from sidecar.errors import AlgorithmNotAllowed, KeyUnknown, TokenError, TokenMalformed
from sidecar.identity import base64url
from sidecar.identity.keyset import KeySetInvalid, PublicKey, parse_key_set
from sidecar.identity.token import parse_token
from sidecar.model import BearerToken
from tests.support import mint
from tests.support.pools import authenticator

PAYLOAD = (
    b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    b"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
A1_HS256 = (
    b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + PAYLOAD
    + b".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)  # fmt: skip
A2_MODULUS = (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt"
    "0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX"
    "ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5"
    "IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
)
A2_RS256 = (
    b"eyJhbGciOiJSUzI1NiJ9." + PAYLOAD
    + b".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    b"O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNP"
    b"vkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1ph"
    b"CnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)  # fmt: skip
A3_ES256 = (
    b"eyJhbGciOiJFUzI1NiJ9." + PAYLOAD
    + b".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)  # fmt: skip
A5_NONE = b"eyJhbGciOiJub25lIn0." + PAYLOAD + b"."
E_CRITICAL = (
    b"eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9"
    b"leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA."
)
BILBO = "bilbo.baggins@hobbiton.example"
HOBBITON_MODULUS = (
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_"
    "AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpP"
    "e7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg"
    "_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
)
HOBBITON_PAYLOAD = (
    b"SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250b"
    b"yB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm"
    b"UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
)
RS256_OF_7520 = (
    b"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." + HOBBITON_PAYLOAD
    + b".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83"
    b"xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5a"
    b"AE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KL"
    b"UQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
)  # fmt: skip


def key(modulus: str, kid: str = "x", **members: object) -> PublicKey:
    """Read a key of a standard the way a pool's is read."""
    entry = {"kty": "RSA", "kid": kid, "n": modulus, "e": "AQAB", **members}
    return parse_key_set(mint.jwks(entry))[kid]


@pytest.mark.parametrize(
    ("token", "public_key"),
    [
        (A2_RS256, key(A2_MODULUS)),
        (RS256_OF_7520, key(HOBBITON_MODULUS, BILBO, use="sig")),
    ],
    ids=["RFC 7515 A.2", "RFC 7520 4.1"],
)
def test_rs256_example_verifies(token: bytes, public_key: PublicKey) -> None:
    """The signature holds with its key, over its bytes, and for nothing else."""
    signing_input, _, signature = token.rpartition(b".")
    raw = base64url.decode(signature)
    assert public_key.verifies(signing_input, raw)
    assert not public_key.verifies(signing_input + b"x", raw)
    other = A2_MODULUS if public_key.kid == BILBO else HOBBITON_MODULUS
    assert not key(other).verifies(signing_input, raw)


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param(A1_HS256, AlgorithmNotAllowed, id="RFC 7515 A.1, HS256"),
        pytest.param(A2_RS256, TokenMalformed, id="RFC 7515 A.2, no kid"),
        pytest.param(A3_ES256, AlgorithmNotAllowed, id="RFC 7515 A.3, ES256"),
        pytest.param(A5_NONE, AlgorithmNotAllowed, id="RFC 7515 A.5, none"),
        pytest.param(E_CRITICAL, AlgorithmNotAllowed, id="RFC 7515 E, none and crit"),
        pytest.param(RS256_OF_7520, TokenMalformed, id="RFC 7520 4.1, payload no JSON"),
        pytest.param(b"{}", TokenMalformed, id="RFC 7515 A.6, JSON serialisation"),
    ],
)
def test_example_of_another_kind_is_refused(token: bytes, error: type[TokenError]) -> None:
    """Each for the first thing that is not as Cognito's."""
    with pytest.raises(error):
        parse_token(BearerToken(token))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "PS384", "kid": BILBO},
        {"alg": "ES512", "kid": BILBO},
        {"alg": "HS256", "kid": "018c0ae5-4d9b-471b-bfd6-eef314bc7037"},
    ],
)
def test_other_algorithms_of_rfc_7520_are_not_allowed(header: dict[str, str]) -> None:
    """Sections 4.2 to 4.4, whatever the rest is."""
    part = base64url.encode(json.dumps(header, separators=(",", ":")).encode())
    with pytest.raises(AlgorithmNotAllowed):
        parse_token(BearerToken(part + b"." + HOBBITON_PAYLOAD + b".AA"))


@pytest.mark.parametrize("parts", ["{0}..{1}", "{0}.", "{0}..", ".{0}.{1}"])
def test_detached_content_is_malformed(parts: str) -> None:
    """RFC 7520 section 4.5 leaves the payload out."""
    header, _, signature = RS256_OF_7520.split(b".")
    detached = parts.format(header.decode(), signature.decode()).encode()
    with pytest.raises(TokenMalformed):
        parse_token(BearerToken(detached))


def test_kid_of_rfc_7520_is_just_a_name() -> None:
    """An e-mail address may name a key."""
    with pytest.raises(KeyUnknown) as refused:
        authenticator().authenticate(mint.mint(header={"alg": "RS256", "kid": BILBO}), mint.NOW)
    assert refused.value.kid == BILBO


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "EC", "kid": BILBO, "use": "sig", "crv": "P-521", "x": "AA", "y": "AA"},
        {"kty": "oct", "kid": "018c0ae5", "use": "sig", "alg": "HS256", "k": "hJtXIZ2uSN5kbQfbtTN"},
    ],
)
def test_keys_of_other_types_of_rfc_7520_are_skipped(entry: dict[str, object]) -> None:
    """Sections 3.1 and 3.5."""
    with pytest.raises(KeySetInvalid):
        parse_key_set(mint.jwks(entry))
