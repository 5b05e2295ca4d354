"""A flood of tokens takes no memory: a short one, with every run of the tests."""

import pytest

from sidecar.identity.cache import MAX_ENTRIES, MAX_REFUSED
from tests.fuzz.token.memory import measure

pytestmark = pytest.mark.timeout(300)  # 15 s on an idle core


def test_flood_of_tokens_leaves_memory_flat() -> None:
    """Good ones, bad signatures, respellings and unknown kids: what is held is bounded."""
    growth = measure(20_000)
    assert growth.is_flat, growth
    assert growth.remembered == MAX_ENTRIES + MAX_REFUSED
