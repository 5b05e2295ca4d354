"""Real servers with other people's applications, and a sidecar in front of each."""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.config import load
from sidecar.model import Address
from sidecar.server import Sidecar
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.ports import free_port
from tests.support.processes import until

ROOT = Path(__file__).parents[3]
_STOP_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class Pair:
    """The same application, asked directly and through a sidecar."""

    direct: Address
    through: Address


def need(module: str) -> None:
    """Skip, saying why, where a peer is not installed."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed; it comes with the extra named test")


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[Address]:
    """Run `python -m command` with `PORT` replaced, until it listens; then stop it."""
    address = Address("127.0.0.1", free_port())
    arguments = [part.replace("PORT", str(address.port)) for part in command]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            until(lambda: _is_listening(address), process)
            yield address
        finally:
            process.terminate()
            process.wait(_STOP_TIMEOUT_S)


@asynccontextmanager
async def behind_sidecar(backend: Address) -> AsyncIterator[Pair]:
    """Put a sidecar in front of a running backend."""
    key_server = await KeyServer().start()
    settings = {
        "user_pool_id": mint.POOL_ID,
        "user_pool_client_id": mint.CLIENT_ID,
        "jwks_url": key_server.url,
        "upstream": f"http://{backend}",
        "listen": "127.0.0.1:0",
        "admin_listen": "127.0.0.1:0",
    }
    try:
        async with Sidecar(load(settings, {})) as sidecar:
            await sidecar.until_ready()
            yield Pair(backend, sidecar.address)
    finally:
        await key_server.stop()


def _is_listening(address: Address) -> bool:
    with socket.create_connection((address.host, address.port), timeout=1):
        return True
