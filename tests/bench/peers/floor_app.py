"""Two programs that do less than the job: what is left is what they save. Never put one in front.

`proxy` passes requests on over pooled connections, with asyncio and httptools on both sides, and
looks at nothing. `server` answers by itself, from the aiohttp server that the sidecar is built on.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import cast

import uvloop
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from httptools import HttpRequestParser, HttpResponseParser

PORT = int(os.environ["BENCH_PORT"])
HOST, _, UPSTREAM_PORT = os.environ["BENCH_UPSTREAM"].partition(":")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + b"x" * 1024

_POOL: list["Upstream"] = []


class Upstream(asyncio.Protocol):
    """A connection to the backend."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, data: bytes, answered: Callable[[bytes], None]) -> None:
        """Send a request; `answered` gets the whole response."""
        self._answered, self._received = answered, b""
        self._parser = HttpResponseParser(self)
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Collect the response."""
        self._received += data
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Hand it on."""
        _POOL.append(self)
        self._answered(self._received)


class Downstream(asyncio.Protocol):
    """A connection of a client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self._parser = HttpRequestParser(self)
        self._fields: list[tuple[bytes, bytes]] = []
        self._target = b""

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_url(self, target: bytes) -> None:
        """Note the target."""
        self._target = target

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a field."""
        self._fields.append((name, value))

    def on_message_complete(self) -> None:
        """Pass the request on."""
        lines = [b"%b: %b\r\n" % field for field in self._fields]
        self._fields = []
        data = b"%b %b HTTP/1.1\r\n%b\r\n" % (
            self._parser.get_method(),
            self._target,
            b"".join(lines),
        )
        if _POOL:
            _POOL.pop().ask(data, self._answer)
        else:
            self._connecting = asyncio.ensure_future(self._connect(data))

    async def _connect(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        _, upstream = await loop.create_connection(Upstream, HOST, int(UPSTREAM_PORT))
        upstream.ask(data, self._answer)

    def _answer(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


class _Sent(web.StreamResponse):
    """A response that is written already, as the sidecar's are."""

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002 - aiohttp's signature
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing."""


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """Answer without asking anybody."""
    transport = request.transport
    assert transport is not None
    transport.write(ANSWER)
    return _Sent()


async def main(what: str) -> None:
    """Serve for ever."""
    factory: Callable[[], asyncio.BaseProtocol] = Downstream
    if what == "server":
        factory = web.Server(answer, access_log=None)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", PORT)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
