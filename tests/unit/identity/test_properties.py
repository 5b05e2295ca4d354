"""What holds for every token, found by trying many."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.errors import SidecarError, TokenError
from sidecar.identity import base64url
from sidecar.identity.credentials import bearer_token
from sidecar.identity.field_values import MAX_VALUE_BYTES
from sidecar.identity.token import parse_token
from sidecar.model import BearerToken, Identity
from tests.support import mint
from tests.support.pools import authenticator

NOW = mint.NOW
TOKEN = mint.mint()
AUTHENTICATOR = authenticator()

_PLACE = st.integers(0, len(TOKEN) - 1)
_BYTE = st.integers(0, 255)


def judge(token: bytes) -> str:
    """Return the reason of a refusal; empty for an identity."""
    try:
        AUTHENTICATOR.authenticate(BearerToken(token), NOW)
    except TokenError as error:
        return error.reason
    return ""


@pytest.fixture(autouse=True)
def _token_is_cached() -> None:
    """Let the unchanged token be known, so that a change must be told from it."""
    assert judge(TOKEN) == ""


@given(_PLACE, _BYTE)
@settings(max_examples=500)
def test_single_changed_byte_is_refused(place: int, byte: int) -> None:
    """Whatever byte of a valid token becomes another."""
    changed = TOKEN[:place] + bytes([byte]) + TOKEN[place + 1 :]
    assert (judge(changed) == "") == (changed == TOKEN)


@pytest.mark.parametrize("bit", range(8))
def test_single_flipped_bit_is_refused_everywhere(bit: int) -> None:
    """All places of a token, none left to chance."""
    for place, byte in enumerate(TOKEN):
        changed = TOKEN[:place] + bytes([byte ^ 1 << bit]) + TOKEN[place + 1 :]
        assert judge(changed) in REASONS_OF_A_CHANGE


REASONS_OF_A_CHANGE = {
    "token_malformed", "signature_invalid", "key_unknown", "algorithm_not_allowed",
    "issuer_mismatch", "claim_missing",
}  # fmt: skip


@given(_PLACE, _BYTE)
@settings(max_examples=300)
def test_single_byte_put_in_or_taken_out_is_refused(place: int, byte: int) -> None:
    """Nothing can be added to a valid token, nor left out."""
    assert judge(TOKEN[:place] + bytes([byte]) + TOKEN[place:])
    assert judge(TOKEN + bytes([byte]))
    assert judge(TOKEN[:place] + TOKEN[place + 1 :])


def test_truncated_token_is_refused_everywhere() -> None:
    """No beginning of a valid token is one."""
    for end in range(len(TOKEN)):
        assert judge(TOKEN[:end])


_TEXT = st.text(max_size=8)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT
    | st.sampled_from([NOW, NOW + 60, NOW - 60, mint.CLIENT_ID, mint.ISSUER, "access", "id"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
_CHANGES = st.dictionaries(
    st.sampled_from(
        ["iss", "sub", "aud", "exp", "iat", "nbf", "client_id", "token_use", "username", "scope",
         "cognito:groups", "cognito:username"]
    ) | _TEXT,
    _VALUE,
    max_size=3,
)  # fmt: skip


def authenticate(claims: bytes, header: dict[str, Any] | None = None) -> Identity | None:
    """Judge a signed payload; only our own errors may come out of it."""
    try:
        return AUTHENTICATOR.authenticate(mint.mint(claims, header=header), NOW)
    except TokenError as error:
        return None if error.status == HTTPStatus.UNAUTHORIZED else pytest.fail(error.reason)


@given(_CHANGES)
@settings(max_examples=300, deadline=None)
def test_signed_claims_of_any_shape_give_an_identity_or_our_error(changes: dict[str, Any]) -> None:
    """And what becomes a header is printable ASCII, never blank, never too long."""
    identity = authenticate(json.dumps(mint.access_claims() | changes).encode("utf-8", "replace"))
    if identity is not None:
        assert identity.fields[0][1]
        for _, value in identity.fields:
            assert value == value.strip()
            assert 0 < len(value) <= MAX_VALUE_BYTES
            assert all(0x20 <= byte <= 0x7E for byte in value)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jku", "jwk"]), _VALUE))
@settings(deadline=None)
def test_header_of_any_shape_gives_an_identity_or_our_error(changes: dict[str, Any]) -> None:
    """Only a header that names the algorithm and the key as they are leads to an identity."""
    header = {"alg": "RS256", "kid": mint.KID} | changes
    identity = authenticate(json.dumps(mint.access_claims()).encode(), header)
    if identity is not None:
        assert (header["alg"], header["kid"]) == ("RS256", mint.KID)
        assert not {"crit", "b64"} & header.keys()


@given(st.binary(max_size=200))
@example(b"..")
@example(b"e30.e30.e30")
def test_arbitrary_bytes_raise_nothing_but_our_errors(token: bytes) -> None:
    """Neither as a token nor as a field."""
    assert judge(token)
    try:
        found = bearer_token([token])
    except SidecarError:
        found = None
    assert found is None or token[6:] == b" " + found


@given(_CHANGES, st.sampled_from([None, 1]), st.booleans())
@settings(deadline=None)
def test_parsed_token_is_written_back_exactly(
    changes: dict[str, Any],
    indent: int | None,
    is_ascii: bool,  # noqa: FBT001 - hypothesis passes it
) -> None:
    """Parsing and writing are inverse: a token that is read has no other spelling."""
    claims = mint.access_claims() | changes
    text = json.dumps(claims, indent=indent, ensure_ascii=is_ascii)
    token = mint.mint(text.encode("utf-8", "replace"), signature=bytes(256))
    try:
        parsed = parse_token(token)
    except TokenError:
        return
    assert parsed.signing_input + b"." + base64url.encode(parsed.signature) == token
    header, payload = parsed.signing_input.split(b".")
    assert base64url.encode(base64url.decode(header)) == header
    assert json.loads(base64url.decode(payload)) == parsed.unverified_claims


_TIMES = st.lists(
    st.sampled_from([-90000, -3600, -70, -60, -11, -10, 0, 1, 299, 300, 301, 3539, 3540, 90000]),
    min_size=1,
    max_size=8,
)


@given(_TIMES)
@settings(deadline=None)
def test_cached_verdict_is_that_of_a_fresh_verification(offsets: list[int]) -> None:
    """At whatever times a token is shown, in whatever order, the cache changes no answer."""
    remembering = authenticator()
    for offset in offsets:
        answers = []
        for judged_by in (remembering, authenticator()):
            try:
                answers.append(str(judged_by.authenticate(TOKEN, NOW + offset)))
            except TokenError as error:
                answers.append(error.reason)
        assert answers[0] == answers[1]
