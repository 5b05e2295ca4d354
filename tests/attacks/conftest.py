"""One house for all attacks of a module: starting it once keeps thousands of attacks fast."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.house import House, open_house

MODES = ("strip", "optional", "require")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """Start a sidecar of each mode."""
    async with open_house({mode: {"mode": mode} for mode in MODES}) as house:
        yield house
