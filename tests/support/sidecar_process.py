"""A sidecar in a process of its own: what a test measures of it is its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sidecar.model import Address
from tests.support import mint
from tests.support.ports import free_port
from tests.support.raw_client import ask

_PATIENCE_S = 15.0


@dataclass(frozen=True)
class SidecarProcess:
    """A running `python -m sidecar`."""

    process: asyncio.subprocess.Process
    address: Address
    admin_address: Address

    @property
    def rss_bytes(self) -> int:
        """Memory that it holds right now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def descriptors(self) -> int:
        """Files and sockets that it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    async def ready_status(self) -> int:
        """Return what `/readyz` says; 0 if nothing does."""
        try:
            return (
                await ask(self.admin_address, b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            ).status
        except OSError:
            return 0

    async def until_not_ready(self) -> None:
        """Wait until `/readyz` says anything but 200."""
        while await self.ready_status() == 200:  # noqa: ASYNC110 - it sends us no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sidecar_process(
    folder: Path,
    *,
    upstream: str,
    jwks_url: str,
    table: str = "",
    address: Address | None = None,
) -> AsyncIterator[SidecarProcess]:
    """Run a sidecar; it is ready when yielded, and killed if it has not ended by itself.

    Args:
        folder: For its settings file.
        upstream: The backend.
        jwks_url: Where the keys of `mint` are.
        table: More lines of the settings file.
        address: Where to listen, if the port is not to be chosen freely.
    """
    public = address or Address("127.0.0.1", free_port())
    admin = Address("127.0.0.1", free_port())
    path = folder / f"sidecar-{admin.port}.toml"
    path.write_text(
        f'user_pool_id = "{mint.POOL_ID}"\nuser_pool_client_id = "{mint.CLIENT_ID}"\n'
        f'jwks_url = "{jwks_url}"\nupstream = "{upstream}"\n'
        f'listen = "{public}"\nadmin_listen = "{admin}"\n{table}'
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", "--config", str(path)),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.DEVNULL,
    )
    running = SidecarProcess(process, public, admin)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while await running.ready_status() != 200:
                assert process.returncode is None, "the sidecar has ended"
                await asyncio.sleep(0.05)
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
