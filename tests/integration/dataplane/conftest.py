"""Sidecars with tables of settings, which only a file can express."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sidecar.model import Address
from sidecar.server import Sidecar
from tests.conftest import StartSidecar

StartWith = Callable[..., Awaitable[Sidecar]]


@pytest.fixture
def start_with(start_sidecar: StartSidecar, tmp_path: Path) -> StartWith:
    """Start a sidecar with the text of a settings file, and settings by name."""

    async def start(table: str, **settings: str) -> Sidecar:
        path = tmp_path / "sidecar.toml"
        path.write_text(table)
        return await start_sidecar(config=str(path), **settings)

    return start


async def dial(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a sidecar."""
    return await asyncio.open_connection(address.host, address.port)


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """Read until the other side closes or resets; return what came."""
    received = b""
    try:
        while data := await reader.read(1 << 16):
            received += data
    except ConnectionError:
        pass
    return received


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Wait for what no event tells of: another side's state."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - it sends us no event
            await asyncio.sleep(0.005)
