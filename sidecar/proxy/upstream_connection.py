"""One connection to the backend: a request out, its response back, in pieces.

It knows when it may carry another request: only if one response, and nothing else, came back.
"""

import asyncio
from dataclasses import dataclass, field
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sidecar.errors import (
    SidecarError,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
)
from sidecar.model import Field

MAX_HEAD_BYTES = 64 * 1024
"""Of a response's fields in all; browsers and servers give up at a quarter of that."""

BUFFER_BYTES = 256 * 1024
"""Of a response held for a slow client before the backend is made to wait."""

_SWEEP_S = (
    0.25  # how late a timeout may be noticed; one timer for all connections, none per request
)


@dataclass(frozen=True, slots=True)
class UpstreamTimeouts:
    """How long the backend may take, in seconds.

    Attributes:
        connect_s: To accept a connection.
        head_s: To begin its answer once the request was sent.
        idle_body_s: Between two pieces of a body, or to take one.
        keep_idle_s: How long an unused connection stays in the pool; below gunicorn's 2 s, so that
            we close first and no request is sent into a closing connection.
    """

    connect_s: float = 5.0
    head_s: float = 60.0
    idle_body_s: float = 60.0
    keep_idle_s: float = 1.5


@dataclass(slots=True)
class ResponseHead:
    """Status line and fields of the backend's answer.

    Attributes:
        status: Between 200 and 599.
        reason: The phrase, as sent; may be empty.
        fields: As received, in order.
        length: Of the body, if the backend said so; None otherwise.
        has_body: False where HTTP allows none (HEAD, 204, 304).
    """

    status: int
    reason: bytes
    fields: list[Field] = field(default_factory=list)
    length: int | None = None
    has_body: bool = True


class StaleConnection(UpstreamError):
    """A pooled connection died before a byte of the response: nobody has seen the request."""

    reason = UpstreamBroken.reason


class UpstreamConnection(asyncio.Protocol):
    """One connection to the backend, carrying one exchange at a time.

    httptools calls the `on_*` methods, asyncio the others; everything between `send` and the end
    of the response belongs to one request.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, timeouts: UpstreamTimeouts) -> None:
        self._loop = loop
        self._timeouts = timeouts
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._error: SidecarError | None = None
        self._read_waiter: asyncio.Future[None] | None = None
        self._write_waiter: asyncio.Future[None] | None = None
        self._is_writing_paused = False
        self._is_reading_paused = False
        self.deadline = float("inf")
        self.idle_since = 0.0
        self._is_reused = False
        self._is_reusable = True
        self._phrase = b""
        self._fields: list[Field] = []
        self._body: list[bytes] = []
        self._head: ResponseHead | None = None
        self._reset(is_head=False)
        self.is_complete = True

    # --- the exchange, as the gateway sees it -----------------------------------------------------

    def start(self, data: bytes, *, is_head: bool, is_reused: bool) -> None:
        """Send the beginning of a request and expect its response.

        Args:
            data: The request's head and as much of its body as is at hand.
            is_head: The method is HEAD, whose response has no body whatever its fields say.
            is_reused: The connection has carried another exchange before.
        """
        self._is_reused = is_reused
        self._reset(is_head=is_head)
        self.write(data)

    def write(self, data: bytes) -> None:
        """Send more of the request; raises what ended the connection, if anything did."""
        if self._error is not None:
            raise self._error
        if self._transport is not None:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the backend takes more of the request."""
        if not self._is_writing_paused or self._error is not None:
            return
        self._write_waiter = self._loop.create_future()
        try:
            async with asyncio.timeout(self._timeouts.idle_body_s):
                await self._write_waiter
        except TimeoutError as error:
            raise UpstreamTimeout("a backend that reads the request") from error

    async def head(self) -> ResponseHead:
        """Wait for the final response head.

        Raises:
            StaleConnection: The connection was a used one and died without a byte.
            UpstreamBroken: What came back is no HTTP response.
            UpstreamTimeout: Nothing came back in time.
        """
        while self._head is None:
            await self._wait(self._timeouts.head_s)
        return self._head

    async def read(self) -> bytes:
        """Return the next piece of the body, b"" at its end.

        Raises:
            UpstreamBroken: The body broke off.
            UpstreamTimeout: Nothing more came in time.
        """
        while not self._body and not self.is_complete:
            await self._wait(self._timeouts.idle_body_s)
        return self.take()

    def take(self) -> bytes:
        """Return what has arrived of the body and not been taken yet."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        self._body_bytes = 0
        if self._is_reading_paused and self._transport is not None:
            self._is_reading_paused = False
            self._transport.resume_reading()
        return body

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent: one whole response came, and nothing else."""
        return self.is_complete and self._is_reusable and self._error is None and self.is_open

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as anyone knows."""
        return self._transport is not None and not self._transport.is_closing()

    def fail(self, error: SidecarError) -> None:
        """End the connection; whoever waits for it gets `error`."""
        if self._error is None:
            self._error = error
        self.close()
        self._wake()

    def close(self) -> None:
        """Drop the connection at once, whatever is under way."""
        self._is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport of a new connection."""
        # uvloop's transports do the work of asyncio.Transport without being of its class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse bytes of the backend."""
        if self.is_complete:  # unasked-for bytes could answer somebody else's request
            self.close()
            return
        self._has_answered = True
        if self._head is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            # After a whole response the rest is garbage, which only costs the connection.
            self._is_reusable = False
            if not self.is_complete:
                self.fail(UpstreamBroken("an HTTP/1.1 response"))
        if self._head is None and self._head_bytes > MAX_HEAD_BYTES:
            self.fail(UpstreamBroken(f"a response head of at most {MAX_HEAD_BYTES} bytes"))
        self._wake()

    def eof_received(self) -> bool:
        """Let asyncio close; `connection_lost` draws the conclusions."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell apart a body that ends with the connection, a stale connection and a broken one."""
        self._transport = None
        if not self.is_complete and self._error is None:
            if self._is_until_close and exc is None:
                self.is_complete = True
            elif self._is_reused and not self._has_answered:
                self._error = StaleConnection("a connection that is still open")
            else:
                self._error = UpstreamBroken("a whole response")
        self._is_reusable = False
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

    # --- httptools --------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Notice a second response that nobody asked for."""
        if self.is_complete:
            self._is_reusable = False
        self._phrase = b""
        self._fields = []

    def on_status(self, phrase: bytes) -> None:
        """Collect the reason phrase."""
        self._phrase += phrase

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect one field; trailers come here too and are dropped."""
        if self._head is None:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Make the head, unless it is an interim one (RFC 9110 §15.2)."""
        status = self._parser.get_status_code()
        if self.is_complete or 100 <= status < 200:  # noqa: PLR2004 - the class of the status
            return
        head = ResponseHead(status, self._phrase, self._fields)
        is_chunked = self._read_framing(head)
        head.has_body = not (self._is_head or status in (204, 304))
        self._head = head
        self._is_until_close = head.has_body and head.length is None and not is_chunked
        if self._is_head:
            # httptools cannot be told that HEAD has no body; what follows is for a fresh parser.
            self._parser = HttpResponseParser(self)
            self.is_complete = True

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body; make the backend wait when there is too much of it."""
        if self.is_complete:
            self._is_reusable = False
            return
        self._body.append(data)
        self._body_bytes += len(data)
        if self._body_bytes > BUFFER_BYTES and not self._is_reading_paused and self._transport:
            self._is_reading_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note the end of the response."""
        if self._head is None:  # of an interim response
            return
        self.is_complete = True
        if not self._parser.should_keep_alive():
            self._is_reusable = False

    # --- inside -----------------------------------------------------------------------------------

    def _reset(self, *, is_head: bool) -> None:
        self._is_head = is_head
        self._head = None
        self._head_bytes = 0
        self._has_answered = False
        self._is_until_close = False
        self._body = []
        self._body_bytes = 0
        self.is_complete = False

    def _read_framing(self, head: ResponseHead) -> bool:
        lengths = [value for name, value in head.fields if name.lower() == b"content-length"]
        codings = [value for name, value in head.fields if name.lower() == b"transfer-encoding"]
        if len(lengths) > 1 or (lengths and codings):
            raise UpstreamBroken("one framing")
        if codings and (len(codings) > 1 or codings[0].lower() != b"chunked"):
            raise UpstreamBroken("chunked as the only transfer coding")
        if lengths:
            if not lengths[0].isdigit():
                raise UpstreamBroken("a length in digits")
            head.length = int(lengths[0])
        return bool(codings)

    async def _wait(self, timeout_s: float) -> None:
        if self._error is not None:
            raise self._error
        self._read_waiter = self._loop.create_future()
        self.deadline = self._loop.time() + timeout_s
        try:
            await self._read_waiter
        finally:
            self.deadline = float("inf")
            self._read_waiter = None

    def _wake(self) -> None:
        waiter = self._read_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
