"""The client's side: aiohttp's server, taught to answer with our own bytes.

Public API of aiohttp only. Its parser, keep-alive and limits are used as they are; what is added is
waiting for a slow reader, our own words for its errors, and an answer that is already written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import LineTooLong

from sidecar.errors import FieldsTooLarge, InternalError, RequestMalformed, SidecarError
from sidecar.model import Field
from sidecar.proxy.headers import serialise, status_line

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
ErrorHandler = Callable[[web.BaseRequest, SidecarError], web.StreamResponse]

MAX_FIELD_BYTES = 16 * 1024
"""One field. Room for a token that is too large to be refused as one, and for big cookies."""

MAX_FIELDS = 128

KEEP_ALIVE_S = 75.0
"""For an idle client. Above the 60 s of load balancers, so that they close first."""


_CLIENT_LEFT = 499  # nginx's number for "closed before an answer"; it is never sent


class ClientConnection(web.RequestHandler):
    """One connection of a client. Adds `drain` to what aiohttp offers, and our refusals."""

    __slots__ = ("_error_handler", "_writable")

    def __init__(self, manager: web.Server, error_handler: ErrorHandler, **options: Any) -> None:  # noqa: ANN401 - aiohttp's own options, passed on
        super().__init__(manager, loop=asyncio.get_running_loop(), **options)
        self._error_handler = error_handler
        self._writable: asyncio.Future[None] | None = None

    async def drain(self) -> None:
        """Wait until the client has read enough for more to be written.

        Raises:
            ConnectionResetError: The client is gone.
        """
        if self.transport is None or self.transport.is_closing():
            raise ConnectionResetError
        if self.writing_paused:
            self._writable = asyncio.get_running_loop().create_future()
            await self._writable

    def resume_writing(self) -> None:
        """Wake whoever waits in `drain`."""
        super().resume_writing()
        self._settle(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wake whoever waits in `drain`, in vain."""
        super().connection_lost(exc)
        self._settle(ConnectionResetError())

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the client's bytes
    ) -> web.StreamResponse:
        """Word aiohttp's errors as ours: the same JSON, nothing of the client's bytes."""
        if status >= 500:  # noqa: PLR2004 - our own failure, not the client's
            self.logger.error("unhandled error in a request", exc_info=exc)
            return self._error_handler(request, InternalError())
        if isinstance(exc, LineTooLong):
            return self._error_handler(request, FieldsTooLarge(f"at most {MAX_FIELD_BYTES} bytes"))
        return self._error_handler(request, RequestMalformed("a request of HTTP/1.1"))

    def _settle(self, error: Exception | None) -> None:
        waiter, self._writable = self._writable, None
        if waiter is None or waiter.done():
            return
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)


class ClientServer(web.Server):
    """aiohttp's low-level server, making `ClientConnection`s."""

    def __init__(self, handler: Handler, error_handler: ErrorHandler) -> None:
        # The handler is cancelled when its client leaves, which closes the backend connection.
        super().__init__(handler, handler_cancellation=True)
        self._error_handler = error_handler

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of a new connection."""
        return ClientConnection(
            self,
            self._error_handler,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE_S,
            max_line_size=MAX_FIELD_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_FIELDS,
        )


class Client:
    """The client of one request: what may be written to it, and what has been.

    A class because it remembers how far the answer is: once begun it can only go on or break off.
    """

    __slots__ = (
        "_connection",
        "_is_head",
        "_keep_alive",
        "has_answer",
        "is_answered",
        "status",
        "understands_chunks",
    )

    def __init__(self, request: web.BaseRequest) -> None:
        connection = request.protocol
        assert isinstance(connection, ClientConnection)  # noqa: S101 - ClientServer makes no other
        self._connection = connection
        self._is_head = request.method == "HEAD"
        self.understands_chunks = request.version >= (1, 1)
        self._keep_alive = request.keep_alive and self.understands_chunks
        self.has_answer = False
        self.is_answered = False
        self.status = 0

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection outlives this answer."""
        return self._keep_alive

    def close_after(self) -> None:
        """Close the connection once the answer is written."""
        self._keep_alive = False

    def answer(self, status: int, fields: Sequence[Field], body: bytes) -> None:
        """Write a whole answer of our own.

        Raises:
            ConnectionResetError: The client is gone.
        """
        length = (b"Content-Length", b"%d" % len(body))
        closing = () if self._keep_alive else ((b"Connection", b"close"),)
        head = serialise(status_line(status), [*fields, length, *closing])
        self.begin(status, head + b"\r\n" + (b"" if self._is_head else body))
        self.finish()

    def begin(self, status: int, data: bytes) -> None:
        """Write an answer's head, and as much of its body as is at hand.

        Raises:
            ConnectionResetError: The client is gone.
        """
        self.has_answer = True
        self.status = status
        self.write(data)

    def write(self, data: bytes) -> None:
        """Write more of the answer, or an interim response.

        Raises:
            ConnectionResetError: The client is gone.
        """
        transport = self._connection.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        transport.write(data)

    def finish(self) -> None:
        """Note that the answer is whole."""
        self.is_answered = True

    async def drain(self) -> None:
        """Wait until the client has read enough for more to be written."""
        await self._connection.drain()

    def abort(self) -> None:
        """Break the connection off, so that no one takes what was sent for the whole answer."""
        self._keep_alive = False
        if self._connection.transport is not None:
            self._connection.transport.abort()

    def sent(self) -> web.StreamResponse:
        """Return what aiohttp wants of a handler: a response, here one that is written already."""
        return _Sent(self.status or _CLIENT_LEFT, keep_alive=self._keep_alive)


class _Sent(web.StreamResponse):
    """A response of which aiohttp has nothing left to write."""

    def __init__(self, status: int, *, keep_alive: bool) -> None:
        super().__init__(status=status)
        if not keep_alive:
            self.force_close()
        self._keeps_alive = keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._keeps_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002 - aiohttp's signature
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: the answer is written."""
