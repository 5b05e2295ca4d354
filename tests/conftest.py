"""Fixtures for every test that runs a sidecar: real sockets, real time, made-up keys."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from sidecar.config import load
from sidecar.model import BearerToken
from sidecar.server import Sidecar
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.recording_backend import RecordingBackend

StartSidecar = Callable[..., Awaitable[Sidecar]]


@pytest.fixture
async def key_server() -> AsyncIterator[KeyServer]:
    """Serve the keys of the test pool."""
    server = await KeyServer().start()
    yield server
    await server.stop()


@pytest.fixture
async def backend() -> AsyncIterator[RecordingBackend]:
    """Record what arrives behind the sidecar."""
    server = await RecordingBackend().start()
    yield server
    await server.stop()


@pytest.fixture
async def start_sidecar(
    key_server: KeyServer, backend: RecordingBackend
) -> AsyncIterator[StartSidecar]:
    """Start sidecars on free ports, with settings by name; each is ready when returned."""
    async with AsyncExitStack() as running:

        async def start(*, is_ready: bool = True, **settings: str) -> Sidecar:
            given = {
                "user_pool_id": mint.POOL_ID,
                "user_pool_client_id": mint.CLIENT_ID,
                "jwks_url": key_server.url,
                "upstream": backend.url,
                "listen": "127.0.0.1:0",
                "admin_listen": "127.0.0.1:0",
                **settings,
            }
            sidecar = await running.enter_async_context(Sidecar(load(given, {})))
            if is_ready:
                await sidecar.until_ready()
            return sidecar

        yield start


@pytest.fixture
async def sidecar(start_sidecar: StartSidecar) -> Sidecar:
    """Start a sidecar with default settings."""
    return await start_sidecar()


@pytest.fixture
def token() -> BearerToken:
    """Make a token that is valid now."""
    return mint.mint(now=time.time())  # noqa: TID251 - the sidecar reads the real clock
