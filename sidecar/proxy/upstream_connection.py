"""One connection to the backend: a request out, its response back, in pieces.

It knows when it may carry another request: only if one whole response, and nothing else, came back.
"""

import asyncio
from dataclasses import dataclass
from typing import cast

from sidecar.errors import SidecarError, UpstreamBroken, UpstreamError, UpstreamTimeout
from sidecar.proxy.outbox import BatchingTransport, Outbox
from sidecar.proxy.response import ResponseReader
from sidecar.proxy.response_head import KnownHeads, ResponseHead

BUFFER_BYTES = 256 * 1024
"""Of a response held for a slow client before the backend is made to wait."""

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class UpstreamTimeouts:
    """How long the backend may take, in seconds.

    Attributes:
        connect_s: To accept a connection.
        head_s: To begin its answer once the request was sent.
        idle_body_s: Between two pieces of a body, or to take one.
        keep_idle_s: How long an unused connection stays in the pool; below gunicorn's 2 s, so that
            we close first and no request is sent into a closing connection.
        keep_s: How old a connection may become; then a name is looked up anew.
    """

    connect_s: float = 5.0
    head_s: float = 60.0
    idle_body_s: float = 60.0
    keep_idle_s: float = 1.5
    keep_s: float = 60.0


class StaleConnection(UpstreamError):
    """A pooled connection died before a byte of the response: nobody has seen the request."""

    reason = UpstreamBroken.reason


class UpstreamConnection(asyncio.Protocol):
    """One connection to the backend, carrying one exchange at a time.

    Attributes:
        deadline: When the backend will have taken too long, by the loop's clock; the pool looks.
        opened_at: When it was connected, by the loop's clock.
        idle_since: When its latest exchange ended.
        is_reused: It has carried another exchange before; the pool says so.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        timeouts: UpstreamTimeouts,
        known: KnownHeads,
        outbox: Outbox,
    ) -> None:
        self._loop = loop
        self._now = loop.time
        self._timeouts = timeouts
        self._outbox = outbox
        self._transport: BatchingTransport | None = None
        self._response = ResponseReader(known)
        self._error: SidecarError | None = None
        self._read_waiter: asyncio.Future[None] | None = None
        self._write_waiter: asyncio.Future[None] | None = None
        self._is_writing_paused = False
        self._is_reading_paused = False
        self.is_reused = False
        self._has_answered = False
        self._is_beginning = False  # nothing but the beginning of a request was written, if at all
        self.deadline = _NEVER
        self.opened_at = loop.time()
        self.idle_since = 0.0

    # --- the exchange, as the relay sees it -------------------------------------------------------

    def start(self, data: bytes, *, is_whole: bool, is_head: bool, is_handshake: bool) -> None:
        """Send the beginning of a request and expect its response.

        Args:
            data: The head and as much of the body as is at hand.
            is_whole: Nothing of the request is still to come.
            is_head: The method is HEAD.
            is_handshake: The request asks for a WebSocket.

        Raises:
            UpstreamError: The connection is dead already.
        """
        self._has_answered = False
        self._response.expect(is_head=is_head, may_upgrade=is_handshake)
        self.write(data)
        self._is_beginning = True
        if is_whole:
            self.deadline = self._now() + self._timeouts.head_s

    def write(self, data: bytes) -> None:
        """Send more of the request; raises what ended the connection, if anything did."""
        if self._error is not None:
            raise _afresh(self._error)
        transport = self._transport
        if transport is not None:
            self._is_beginning = self._is_beginning and transport.holds
            transport.write(data)

    def expect_answer(self) -> None:
        """Note that the request is whole: from now on the backend's time counts."""
        if not self._response.has_final_head:
            self.deadline = self._now() + self._timeouts.head_s

    async def drain(self) -> None:
        """Wait until the backend takes more of the request.

        Raises:
            UpstreamTimeout: It takes nothing for too long.
        """
        if not self._is_writing_paused or self._error is not None:
            return
        self._write_waiter = self._loop.create_future()
        try:
            async with asyncio.timeout(self._timeouts.idle_body_s):
                await self._write_waiter
        except TimeoutError as error:
            raise UpstreamTimeout("a backend that reads the request") from error

    def arrival(self) -> "asyncio.Future[None]":
        """Return what is done as soon as more of the response has come, or nothing more will.

        A future and not a coroutine, which would cost every request as much again.

        Raises:
            StaleConnection: The connection was a used one and died without a byte.
            UpstreamBroken, UpstreamTimeout: Nothing usable comes.
        """
        if self._error is not None:
            raise _afresh(self._error)
        self._read_waiter = self._loop.create_future()
        return self._read_waiter

    async def head(self) -> ResponseHead:
        """Wait for the next response head: interim ones, then the final one.

        Raises:
            UpstreamBroken: What came back is no HTTP response.
            UpstreamTimeout: Nothing came back in time.
        """
        while (head := self.head_at_hand()) is None:
            await self.arrival()
        return head

    def head_at_hand(self) -> ResponseHead | None:
        """Return the next response head if it has arrived, as it usually has with the first byte.

        Asking first spares most requests a coroutine.
        """
        heads = self._response.heads
        if not heads:
            return None
        head = heads.popleft()
        if not head.is_interim:
            self.deadline = _NEVER
        elif self.deadline != _NEVER:
            self.expect_answer()
        return head

    async def read(self) -> bytes:
        """Return the next piece of the body, b"" at its end.

        Raises:
            UpstreamBroken: The body broke off.
            UpstreamTimeout: Nothing more came in time.
        """
        if not self._response.body_bytes and not self._response.is_complete:
            self.deadline = self._now() + self._timeouts.idle_body_s
            await self._until_body()
            self.deadline = _NEVER
        return self.take()

    async def read_tunnel(self) -> bytes:
        """Return the next bytes of a switched protocol, b"" at its end; they may take any time."""
        await self._until_body()
        return self.take()

    def take(self) -> bytes:
        """Return what has arrived of the body and not been taken yet."""
        body = self._response.take()
        if self._is_reading_paused and self._transport is not None:
            self._is_reading_paused = False
            self._transport.resume_reading()
        return body

    # --- its state, as the pool sees it -----------------------------------------------------------

    @property
    def is_complete(self) -> bool:
        """Whether the whole response has arrived."""
        return self._response.is_complete

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent: one whole response came and was taken, no more.

        A head that nobody took would answer whoever comes next, with somebody else's cookies.
        """
        response, transport = self._response, self._transport
        return (
            response.is_complete
            and response.is_reusable
            and not response.heads
            and not response.body_bytes
            and self._error is None
            and transport is not None
            and not transport.is_closing()
        )

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as anyone knows."""
        return self._transport is not None and not self._transport.is_closing()

    def fail(self, error: SidecarError) -> None:
        """End the connection; whoever waits for it gets `error`."""
        if self._error is None:
            self._error = _afresh(error)
        self.close()
        self._wake()

    def close(self) -> None:
        """Drop the connection at once, whatever is under way."""
        self._response.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport of a new connection."""
        # uvloop's transports do the work of asyncio.Transport without being of its class.
        self._transport = BatchingTransport(cast(asyncio.Transport, transport), self._outbox)

    def data_received(self, data: bytes) -> None:
        """Parse bytes of the backend; make it wait when nobody takes them."""
        response, transport = self._response, self._transport
        # Unasked-for bytes could answer somebody else's request: the next one, or one that still
        # waits to be sent.
        if response.is_complete or (self._is_beginning and transport and transport.holds):
            self.close()
            return
        self._has_answered = True
        try:
            response.feed(data)
        except UpstreamBroken as error:
            self.fail(error)
        if response.body_bytes > BUFFER_BYTES and not self._is_reading_paused and transport:
            self._is_reading_paused = True
            transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Let asyncio close; `connection_lost` draws the conclusions.

        What waits is sent before, unless it is a request: nobody will answer it.
        """
        if self._transport is not None and not self._is_beginning:
            self._transport.flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell apart a body that ends with the connection, a stale connection and a broken one."""
        self._transport = None
        is_whole = exc is None and self._response.end()
        if not is_whole and not self._response.is_complete and self._error is None:
            is_stale = self.is_reused and not self._has_answered
            self._error = StaleConnection() if is_stale else UpstreamBroken("a whole response")
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        """Stop sending: the backend reads slower than the client sends."""
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        """Go on sending."""
        self._is_writing_paused = False
        waiter, self._write_waiter = self._write_waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # --- inside -----------------------------------------------------------------------------------

    async def _until_body(self) -> None:
        while not self._response.body_bytes and not self._response.is_complete:
            await self.arrival()

    def _wake(self) -> None:
        waiter = self._read_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _afresh(error: SidecarError) -> SidecarError:
    """Make the same error without its frames, for a connection must not keep what keeps it."""
    return type(error)(error.expected)
