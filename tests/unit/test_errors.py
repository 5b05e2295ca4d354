"""One leaf per checked thing, each with the reason and status that DESIGN promises."""

from collections.abc import Iterator

import pytest

from sidecar import errors
from sidecar.errors import SidecarError, TokenError

REASONS = {
    "token_missing": 401, "token_malformed": 401, "token_too_large": 401,
    "algorithm_not_allowed": 401, "key_unknown": 401, "signature_invalid": 401,
    "token_expired": 401, "token_not_yet_valid": 401, "issuer_mismatch": 401,
    "client_mismatch": 401, "token_use_mismatch": 401, "claim_missing": 401, "claim_invalid": 401,
    "token_revoked": 401, "multiple_tokens": 400, "scope_missing": 403, "group_missing": 403,
    "keys_unavailable": 503,
}  # fmt: skip


def leaves(parent: type[SidecarError] = SidecarError) -> Iterator[type[SidecarError]]:
    """Go through the errors that are raised."""
    for child in parent.__subclasses__():
        yield from leaves(child) if child.__subclasses__() else [child]


@pytest.mark.parametrize(("reason", "status"), REASONS.items())
def test_promised_reason_has_one_leaf_with_its_status(reason: str, status: int) -> None:
    """Clients match on these strings."""
    found = [leaf for leaf in leaves() if leaf.reason == reason]
    assert [leaf.status for leaf in found] == [status]


@pytest.mark.parametrize("leaf", list(leaves()), ids=lambda leaf: leaf.__name__)
def test_leaf_has_reason_status_and_docstring(leaf: type[SidecarError]) -> None:
    """Each says what it is, in the form that labels and headers can carry."""
    assert leaf.reason.replace("_", "a").isalpha()
    assert leaf.reason == leaf.reason.lower()
    assert 400 <= leaf.status <= 599
    assert leaf.__doc__


def test_message_says_what_was_expected() -> None:
    """Or the reason, where nothing else was said."""
    assert str(errors.TokenMalformed("three parts")) == "three parts"
    assert errors.TokenMalformed("three parts").expected == "three parts"
    assert str(errors.TokenMalformed()) == "token_malformed"
    assert str(errors.ClaimInvalid("sub", "text")) == "text"


def test_unknown_key_names_kid_and_pool_but_not_in_its_message() -> None:
    """The kid is the client's text: it is for a look-up, never for a message."""
    error = errors.KeyUnknown("<evil>", "eu-west-1_x")
    assert (error.kid, error.pool_id) == ("<evil>", "eu-west-1_x")
    assert "evil" not in str(error)


def test_token_error_names_nothing_until_something_is_known() -> None:
    """`kid` and `pool_id` are empty where the token could not be read."""
    error = errors.TokenMalformed()
    assert isinstance(error, TokenError)
    assert (error.kid, error.pool_id) == ("", "")


def test_unavailable_says_when_to_come_back() -> None:
    """For Retry-After, in whole seconds."""
    assert errors.KeysUnavailable().retry_after_s == 1
    assert errors.Overloaded(retry_after_s=5).retry_after_s == 5


def test_settings_error_lists_all_problems() -> None:
    """Whoever starts the sidecar learns everything at once."""
    error = errors.SettingsInvalid(["a", "b"])
    assert error.problems == ["a", "b"]
    assert str(error) == "a; b"
