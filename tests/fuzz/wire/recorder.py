"""A backend that records bytes by connection and answers every whole request."""

import asyncio

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from sidecar.model import Address

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


class Recorder:
    """Records until told to forget. A class because it is a server with a lifetime."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> Address:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return Address(host, port)

    def stop(self) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.drop()

    def take(self) -> list[bytes]:
        """Return what arrived since the last time, by connection, and start afresh.

        A connection in the middle of a request is dropped: the rest of it belongs to nobody.
        """
        taken = []
        for connection in tuple(self.connections):
            if connection.raw:
                taken.append(bytes(connection.raw))
                connection.raw.clear()
            if connection.is_over or not connection.is_between:
                connection.drop()
                self.connections.discard(connection)
        return taken


class Connection(asyncio.Protocol):
    """One connection of the sidecar."""

    def __init__(self, recorder: Recorder) -> None:
        self.raw = bytearray()
        self.is_between = True
        self.is_over = False
        self._recorder = recorder
        self._parser = HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None

    def drop(self) -> None:
        """Close without ceremony."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join those that are recorded."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no asyncio.Transport
        self._recorder.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Record; the parser only tells when to answer."""
        self.raw += data
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._parser = HttpRequestParser(self)
        except HttpParserError:
            self.drop()  # the judges will say why

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Keep what was recorded until it is taken."""
        self.is_over = True

    def on_message_begin(self) -> None:
        """Note that a request is under way."""
        self.is_between = False

    def on_message_complete(self) -> None:
        """Answer."""
        self.is_between = True
        if self._transport is not None:
            body = b"" if self._parser.get_method() == b"HEAD" else b"ok"
            self._transport.write(_HEAD + body)
