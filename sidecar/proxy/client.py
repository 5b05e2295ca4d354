"""The client of one request: what may be written to it, and what has been."""

from collections.abc import Sequence

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter

from sidecar.model import Field
from sidecar.proxy.downstream_connection import ClientConnection
from sidecar.proxy.heads import serialise, status_line


class Client:
    """The client of one request.

    A class because it remembers how far the answer is: once begun it can only go on or break off.
    """

    __slots__ = (
        "_keep_alive",
        "_request",
        "connection",
        "is_answered",
        "is_modern",
        "sent_bytes",
        "status",
    )

    def __init__(self, request: web.BaseRequest) -> None:
        connection = request.protocol
        assert isinstance(connection, ClientConnection)  # noqa: S101 - ClientServer makes no other
        self.connection = connection
        self._request = request
        self.is_modern = request.version >= (1, 1)  # knows chunks and interim responses
        self._keep_alive = request.keep_alive and self.is_modern
        if request.body_exists and "Transfer-Encoding" in request.headers:
            # aiohttp 3.14 takes the last trailer field of a chunked body for a field of the request
            # that comes next, an `Authorization` included, and shows no trailers at all.
            self._keep_alive = False
        self.is_answered = False
        self.sent_bytes = 0
        self.status = 0
        connection.begin_request()

    @property
    def content(self) -> StreamReader:
        """The body of the request."""
        return self._request.content

    @property
    def is_head(self) -> bool:
        """Whether the answer has no body whatever its fields say."""
        return self._request.method == "HEAD"

    @property
    def has_answer(self) -> bool:
        """Whether the answer has begun."""
        return self.connection.has_answer

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection outlives this answer."""
        return self._keep_alive and not self.connection.is_winding_up

    def close_after(self) -> None:
        """Close the connection once the answer is written."""
        self._keep_alive = False

    def answer(self, status: int, fields: Sequence[Field], body: bytes) -> None:
        """Write a whole answer of our own.

        Raises:
            ConnectionResetError: The client is gone.
        """
        if not self.content.is_eof():  # what is left of the body is not wanted
            self.close_after()
        head = own_answer(status, fields, len(body), keeps_alive=self.keeps_alive)
        self.send_whole(status, head if self.is_head else head + body)

    def send_whole(self, status: int, data: bytes) -> None:
        """Write a whole answer.

        Raises:
            ConnectionResetError: The client is gone.
        """
        self.begin(status, data)
        self.finish()

    def begin(self, status: int, data: bytes) -> None:
        """Write an answer's head, and as much of its body as is at hand.

        Raises:
            ConnectionResetError: The client is gone.
        """
        self.connection.has_answer = True
        self.status = status
        self.write(data)

    def write(self, data: bytes) -> None:
        """Write more of the answer, or an interim response.

        Raises:
            ConnectionResetError: The client is gone.
        """
        transport = self.connection.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self.sent_bytes += len(data)
        transport.write(data)

    def finish(self) -> None:
        """Note that the answer is whole."""
        self.is_answered = True

    async def drain(self) -> None:
        """Wait until the client has read enough for more to be written.

        Raises:
            ConnectionResetError: The client is gone, or reads nothing for too long.
        """
        await self.connection.drain()

    def abort(self) -> None:
        """Break the connection off, so that no one takes what was sent for the whole answer."""
        self._keep_alive = False
        self.connection.abort()

    @property
    def is_behind(self) -> bool:
        """Whether the client does not read its answers; `drain` before it gets another handled."""
        return self.is_answered and self.connection.writing_paused

    def sent(self) -> web.StreamResponse:
        """Return what aiohttp wants of a handler: a response, here one that is written already."""
        keeps_alive = self.keeps_alive
        self.connection.end_request(keeps_alive=keeps_alive)
        return _SENT if keeps_alive else _SENT_LAST


def own_answer(
    status: int, fields: Sequence[Field], body_bytes: int, *, keeps_alive: bool
) -> bytes:
    """Write the head of an answer that does not come from the backend."""
    framing = ((b"Content-Length", b"%d" % body_bytes),)
    closing = () if keeps_alive else ((b"Connection", b"close"),)
    return serialise(status_line(status), [*fields, *framing, *closing]) + b"\r\n"


class _Sent(web.StreamResponse):
    """A response of which aiohttp has nothing left to write. It says nothing of any one request."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keeps_alive = keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._keeps_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002 - aiohttp's signature
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: the answer is written."""


_SENT, _SENT_LAST = _Sent(keep_alive=True), _Sent(keep_alive=False)
