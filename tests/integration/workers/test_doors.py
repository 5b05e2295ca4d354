"""Where several workers listen, and when they are ready."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.errors import ListenFailed
from sidecar.model import Address
from tests.integration.workers.conftest import GET, Workplace, open_workplace, tell
from tests.support import mint


@pytest.fixture
async def workplace() -> AsyncIterator[Workplace]:
    """Start a backend and a key server."""
    async with open_workplace() as workplace:
        yield workplace


async def test_workers_without_keys_are_not_ready(workplace: Workplace) -> None:
    """Each fetches for itself, and each says so."""
    workplace.keys.status = 500
    crew = await workplace.start(is_ready=False)
    answer = await tell(crew.admin_address, "/readyz")
    assert answer.status == 503
    missing = [f"worker {place}: keys of pool {mint.POOL_ID}" for place in (1, 2)]
    assert json.loads(answer.body)["missing"] == missing


async def test_unix_sockets_are_shared(workplace: Workplace, tmp_path: Path) -> None:
    """SO_REUSEPORT is for TCP; here both accept from the socket that the supervisor made."""
    path = tmp_path / "public.sock"
    crew = await workplace.start(listen=f"unix:{path}", verify_listen="127.0.0.1:0")
    assert isinstance(crew.verify_address, Address)
    assert crew.verify_address.port != 0
    for _ in range(8):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()
    await crew.__aexit__()
    assert not path.exists()


async def test_taken_port_is_found_before_any_worker_starts(workplace: Workplace) -> None:
    """It is the same error as with one process."""
    other = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        taken = f"cannot listen on 127.0.0.1:{port}: the port is taken by another process"
        with pytest.raises(ListenFailed, match=taken):
            await workplace.start(listen=f"127.0.0.1:{port}")
