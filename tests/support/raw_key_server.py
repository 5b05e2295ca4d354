"""A key server that answers with any bytes, at any pace, over plain TCP or TLS."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from tests.support import mint

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def response(body: bytes, *fields: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Write a response; `length` may lie."""
    length = len(body) if length is None else length
    head = [f"HTTP/1.1 {status}", f"Content-Length: {length}", "Connection: close", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


def says(*pieces: bytes) -> Behaviour:
    """Answer with these bytes and close."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return behave


async def never_answers(writer: asyncio.StreamWriter) -> None:
    """Keep the connection open, and silent, until the other side gives up."""
    await writer.wait_closed()


publishes_the_keys = says(response(mint.jwks()))


class RawKeyServer:
    """Behaves as told, once per connection; counts the fetches and the bytes it got rid of.

    Attributes:
        behave: What it does after a request; may be changed at any time.
        requests: The heads of the requests, as received.
        sent: How many bytes were handed to the network by `pour`.
    """

    def __init__(self, behave: Behaviour = publishes_the_keys) -> None:
        self.behave = behave
        self.requests: list[bytes] = []
        self.sent = 0
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.scheme = "http"

    @property
    def url(self) -> str:
        """Where the document is."""
        return f"{self.scheme}://127.0.0.1:{self.port}/jwks.json"

    @property
    def fetches(self) -> int:
        """Count the requests."""
        return len(self.requests)

    async def until_fetches(self, count: int) -> None:
        """Wait until so many requests came."""
        async with self._came:
            await self._came.wait_for(lambda: self.fetches >= count)

    async def pour(self, writer: asyncio.StreamWriter, chunk: bytes, count: int) -> None:
        """Send `chunk` so many times, as fast as the other side takes it."""
        for _ in range(count):
            writer.write(chunk)
            await writer.drain()
            self.sent += len(chunk)

    @contextlib.asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["RawKeyServer"]:
        """Listen on a free port of loopback."""
        self.scheme = "https" if tls else "http"
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            async with self._came:
                self.requests.append(head)
                self._came.notify_all()
            await self.behave(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
