"""A backend whose every byte is written by the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sidecar.model import Address

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ScriptedBackend:
    """Plays `script` on every connection; the connection is dropped when it ends.

    A class because it is a server with a lifetime.
    """

    script: Script
    connections: int = 0
    open_connections: int = 0
    server: asyncio.Server | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> Address:
        """Where it listens."""
        assert self.server is not None
        host, port = self.server.sockets[0].getsockname()[:2]
        return Address(host, port)

    @property
    def url(self) -> str:
        """For SIDECAR_UPSTREAM."""
        return f"http://{self.address}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the script on one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.script(reader, writer)
        finally:
            self.open_connections -= 1
            self.tasks.discard(task)
            writer.close()


@asynccontextmanager
async def scripted(script: Script, limit: int = 1 << 16) -> AsyncIterator[ScriptedBackend]:
    """Run a scripted backend on a free port."""
    backend = ScriptedBackend(script)
    backend.server = await asyncio.start_server(backend.serve, "127.0.0.1", 0, limit=limit)
    try:
        yield backend
    finally:
        backend.server.close()
        for task in backend.tasks:
            task.cancel()
        await asyncio.gather(*backend.tasks, return_exceptions=True)


def answering(response: bytes, *, closes: bool = True) -> Script:
    """Read each request's head and send these bytes; then close, or wait for the next."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(response)
            await writer.drain()
            if closes:
                return

    return script
