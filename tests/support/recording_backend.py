"""A backend that records the very bytes it is sent and answers what it is told to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import h11

from sidecar.model import Address

Reply = Callable[["Exchange", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Exchange:
    """One request as the backend saw it, read by h11, which is stricter than most servers."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    is_complete: bool = False

    def values(self, name: str) -> list[str]:
        """Return all values of a field by its lower-case name."""
        return [value for field_name, value in self.fields if field_name == name.lower()]


@dataclass
class RecordingBackend:
    """Records requests and raw bytes. `reply` may be replaced by bytes or by a coroutine function.

    A class because it is a server with a lifetime.
    """

    reply: bytes | Reply = OK
    requests: list[Exchange] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> "RecordingBackend":
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def stop(self) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self) -> None:
        """Start afresh: keep open connections, but nothing that was recorded."""
        self.requests.clear()
        self.errors.clear()
        self.raw[:] = [b""] * len(self.raw)

    @property
    def url(self) -> str:
        """For SIDECAR_UPSTREAM."""
        return f"http://{self.address}"

    @property
    def address(self) -> Address:
        """Where it listens."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return Address(host, port)

    @property
    def last(self) -> Exchange:
        """The latest request."""
        return self.requests[-1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        index = len(self.raw)
        self.raw.append(b"")
        try:
            await self._serve_connection(index, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        except h11.RemoteProtocolError as error:
            self.errors.append(str(error))
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve_connection(
        self, index: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        exchange: Exchange | None = None
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(1 << 16)
                self.raw[index] += data
                parser.receive_data(data)
                if not data:
                    return
            elif isinstance(event, h11.Request):
                exchange = Exchange(
                    event.method.decode(),
                    event.target.decode("latin-1"),
                    [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers],
                )
                self.requests.append(exchange)
            elif isinstance(event, h11.Data):
                assert exchange is not None
                exchange.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert exchange is not None
                exchange.is_complete = True
                await self._answer(exchange, reader, writer)
                # h11 wants to see our answer before it reads the next request.
                parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
            else:
                return

    async def _answer(
        self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if isinstance(self.reply, bytes):
            writer.write(self.reply)
            await writer.drain()
        else:
            await self.reply(exchange, reader, writer)
