"""The load's tokens: good ones good, bad ones bad in the one way that was meant."""

import pytest

from sidecar.errors import SignatureInvalid
from sidecar.model import BearerToken
from tests.bench.tokens import break_signature, mint_one
from tests.support import mint, pools


def test_minted_token_is_accepted_with_its_own_user() -> None:
    """Every number is another user."""
    identity = pools.authenticator().authenticate(BearerToken(mint_one(7, mint.NOW)), mint.NOW)
    assert (b"X-Cognito-Username", b"user-7") in identity.fields


def test_broken_signature_is_all_that_is_wrong() -> None:
    """A verifier gets as far as the signature: anything earlier would be cheaper to refuse."""
    broken = break_signature(mint_one(7, mint.NOW))
    with pytest.raises(SignatureInvalid):
        pools.authenticator().authenticate(BearerToken(broken), mint.NOW)
