"""`Authorization` fields: exactly one bearer token, none, or a refusal."""

import pytest

from sidecar.errors import MultipleTokens, TokenMalformed, TokenTooLarge
from sidecar.identity.credentials import MAX_TOKEN_BYTES, bearer_token, is_bearer


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
def test_bearer_in_any_case_gives_the_token(scheme: bytes) -> None:
    """The scheme is case-insensitive; the token is what follows one space."""
    assert bearer_token([scheme + b" abc.def.ghi"]) == b"abc.def.ghi"


def test_no_field_is_no_token() -> None:
    """A request without the field presents nothing."""
    assert bearer_token([]) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Basic dTpw",
        b"Bearerx abc",
        b"Bearer-token abc",
        b"Bearer_ abc",
        b"Bearer1 abc",
        b"Bearer~ abc",
        b"xBearer abc",
        b"Negotiate Bearer",
    ],
)
def test_other_scheme_is_not_ours(value: bytes) -> None:
    """Whatever names another scheme passes, and is no token."""
    assert bearer_token([value]) is None
    assert not is_bearer(value)


@pytest.mark.parametrize(
    "value",
    [
        b"Bearer",
        b"Bearer ",
        b"Bearer\tabc",
        b"Bearer,abc",
        b"Bearer=abc",
        b"Bearer\xa0abc",
        b"Bearer:abc",
    ],
)
def test_bearer_without_one_space_and_a_token_is_malformed(value: bytes) -> None:
    """The scheme is ours, so it is judged here and never passes as a foreign one."""
    assert is_bearer(value)
    with pytest.raises(TokenMalformed) as refused:
        bearer_token([value])
    assert refused.value.expected == "one token after 'Bearer '"


@pytest.mark.parametrize(
    "values",
    [
        [b"Bearer a", b"Bearer b"],
        [b"Bearer a", b"Bearer a"],
        [b"Bearer a", b"Basic b"],
        [b"Basic a", b"Basic b"],
        [b"", b""],
    ],
)
def test_two_fields_are_refused(values: list[bytes]) -> None:
    """Never "the first one wins", whatever their schemes."""
    with pytest.raises(MultipleTokens) as refused:
        bearer_token(values)
    assert refused.value.status == 400
    assert refused.value.expected == "one Authorization field"


def test_largest_token_is_found() -> None:
    """The limit itself is allowed."""
    assert bearer_token([b"Bearer " + b"a" * MAX_TOKEN_BYTES]) == b"a" * MAX_TOKEN_BYTES


@pytest.mark.parametrize("size", [MAX_TOKEN_BYTES + 1, 8_000_000])
def test_larger_token_is_refused(size: int) -> None:
    """One byte more is too large."""
    with pytest.raises(TokenTooLarge) as refused:
        bearer_token([b"Bearer " + b"a" * size])
    assert refused.value.expected == "at most 8 KiB"
