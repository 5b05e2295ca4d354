"""One connection of a client: aiohttp's, plus deadlines, back-pressure and our own words.

Public API of aiohttp only: methods are overridden, its private state is never touched.
"""

import asyncio
import socket
from typing import Protocol, cast

from aiohttp import web

from sidecar.errors import (
    InternalError,
    Overloaded,
    RequestTimeout,
    SidecarError,
)
from sidecar.proxy import unreadable
from sidecar.proxy.downstream_reading import ReadingConnection
from sidecar.proxy.limits import ClientLimits, ClientTimeouts
from sidecar.proxy.outbox import BatchingTransport, Outbox

_FLUSH_S = 1.0  # for a client that was refused a connection to read the refusal
_FIRST_REQUEST_S = 1.0  # for a client that connected just before we stopped, to begin its request
_NEVER = float("inf")
_CLOSED = (7, 8)  # TCP_CLOSE, TCP_CLOSE_WAIT of Linux (include/net/tcp_states.h)


class Spokesman(Protocol):
    """Words what the sidecar says where no request was read."""

    def refuse_unreadable(
        self, request: web.BaseRequest, error: SidecarError
    ) -> web.StreamResponse:
        """Answer what could not be read as a request."""
        ...

    def refuse_connection(self, error: SidecarError, latest: bytes) -> bytes:
        """Word the whole response to somebody who sent no request, or not all of one."""
        ...


class Registry(Protocol):
    """What the connections of a server share.

    Attributes:
        outbox: Says when answers go out.
    """

    outbox: Outbox

    def opened(self, connection: "ClientConnection") -> None:
        """Count one in."""
        ...

    def closed(self, connection: "ClientConnection") -> None:
        """Count one out."""
        ...


class ClientConnection(ReadingConnection):
    """One connection of a client, from its first byte to its last.

    Attributes:
        has_answer: The answer to the latest request has begun.
        is_winding_up: It is closed after the request in flight.
        peer: What the other end is called: an IP address; empty for a Unix socket.
    """

    __slots__ = (
        "_deadline",
        "_is_new",
        "_now",
        "_registry",
        "_spokesman",
        "_timeouts",
        "_writable",
        "has_answer",
        "is_winding_up",
        "peer",
    )

    def __init__(
        self,
        manager: web.Server,
        spokesman: Spokesman,
        timeouts: ClientTimeouts,
        limits: ClientLimits,
        *,
        is_too_many: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(manager, loop, limits, timeouts.keep_alive_s)
        self._now = loop.time
        self._registry = cast(Registry, manager)
        self._spokesman = spokesman
        self._timeouts = timeouts
        self._is_deaf = is_too_many
        self._is_new = True
        self.has_answer = False
        self.is_winding_up = False
        self.peer = ""
        self._deadline = _NEVER
        self._writable: asyncio.Future[None] | None = None

    # --- asyncio.Protocol, as aiohttp implements it -----------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve, or say at once that there are too many already."""
        # uvloop's transports do the work of asyncio.Transport without being of its class.
        below = cast(asyncio.Transport, transport)
        self._wire = BatchingTransport(below, self._registry.outbox)
        self._registry.opened(self)
        if self._is_deaf:
            self._refuse(Overloaded("fewer connections at once"))
            return
        super().connection_made(cast(asyncio.Transport, self._wire))
        self.peer = _name_of(self.peername)
        self.head_begins()

    def eof_received(self) -> None:
        """Send what waits: the transport below closes itself, and knows nothing of it."""
        if self._wire is not None:
            self._wire.flush()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wake whoever waits in `drain`, in vain."""
        self._registry.closed(self)
        self._wire = None
        super().connection_lost(exc)
        self._wake_writer(ConnectionResetError())

    def head_begins(self) -> None:
        """Start the clock for a request's head."""
        self._deadline = self._now() + self._timeouts.head_s

    def resume_writing(self) -> None:
        """Wake whoever waits in `drain`."""
        super().resume_writing()
        self._wake_writer(None)

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
            if self.has_answer:  # another one would be taken for the next request's
                self.abort()
            return self._spokesman.refuse_unreadable(request, InternalError())
        return self._spokesman.refuse_unreadable(request, unreadable.explain(exc, self.latest))

    # --- one request, as the gateway sees it ------------------------------------------------------

    def begin_request(self) -> None:
        """Stop the clock: the next move is ours."""
        self._is_busy = True
        self._is_head_begun = False
        self._is_new = False
        self.has_answer = False
        self._deadline = _NEVER

    def end_request(self, *, keeps_alive: bool) -> None:
        """Start the clock for the next request, or for reading the rest of this answer."""
        self._is_busy = False
        self._end_reading(keeps_alive=keeps_alive)
        patience = self._timeouts.keep_alive_s if keeps_alive else self._timeouts.write_s
        self._deadline = self._now() + patience

    async def drain(self) -> None:
        """Wait until the client has read enough for more to be written.

        Raises:
            ConnectionResetError: The client is gone, or reads nothing for too long.
        """
        if self._wire is None or self._wire.is_closing():
            raise ConnectionResetError
        if not self.writing_paused:
            return
        self._writable = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timeouts.write_s):
                await self._writable
        except TimeoutError:
            self.abort()
            raise ConnectionResetError from None

    # --- the end ----------------------------------------------------------------------------------

    def wind_up(self, code: int) -> None:
        """Close when idle; else after the request in flight. A WebSocket is closed with `code`."""
        self.is_winding_up = True
        if self.tunnel is not None:
            self.tunnel.close(code)
        elif self._is_new:  # whoever has just connected is about to ask
            self._deadline = min(self._deadline, self._now() + _FIRST_REQUEST_S)
        elif not self._is_busy and not self._is_head_begun:
            self.force_close()

    def abort(self) -> None:
        """Break the connection off, so that nobody takes what was sent for the whole answer.

        What was written is sent all the same: without a byte of an answer a client might ask again.
        """
        if self._wire is not None:
            self._wire.flush()
            self._wire.abort()

    def check_deadline(self, now: float) -> None:
        """Close a connection whose client has taken too long; abort one that will not close."""
        if self._is_busy and self._has_left():
            self.abort()
        if now < self._deadline:
            return
        if self._wire is None or self._wire.is_closing() or self._is_deaf:
            self.abort()
            return
        self._deadline = now + self._timeouts.write_s
        if self._is_head_begun:
            self._refuse(RequestTimeout("a whole request head in time"))
        self.force_close()

    # --- inside -----------------------------------------------------------------------------------

    def _has_left(self) -> bool:
        """Tell whether the client has closed, which nobody notices while its upload is held up."""
        if self._wire is None or self._wire.is_reading():
            return False
        wire = self._wire.get_extra_info("socket")
        try:
            state: int = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        except (OSError, AttributeError):  # a Unix socket, or a system without TCP_INFO
            return False
        return state in _CLOSED

    def _refuse(self, error: SidecarError) -> None:
        assert self._wire is not None  # noqa: S101 - there was somebody to refuse
        self._wire.write(self._spokesman.refuse_connection(error, self.latest))
        if self._is_deaf:
            # Half-closed first: closing at once could reset the answer away before it is read.
            self._wire.write_eof()
            self._deadline = self._now() + _FLUSH_S

    def _wake_writer(self, error: Exception | None) -> None:
        waiter, self._writable = self._writable, None
        if waiter is None or waiter.done():
            return
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)


def _name_of(peername: object) -> str:
    return str(peername[0]) if isinstance(peername, tuple) and peername else ""
