"""One connection of a client: aiohttp's, plus deadlines, back-pressure and our own words.

Public API of aiohttp only: methods are overridden, its private state is never touched.
"""

import asyncio
import socket
from typing import Protocol, cast

from aiohttp import StreamReader, web
from aiohttp.web_protocol import MAX_MSG_QUEUE_SIZE

from sidecar.errors import (
    InternalError,
    Overloaded,
    RequestMalformed,
    RequestTimeout,
    SidecarError,
)
from sidecar.policy.target import MAX_TARGET_BYTES
from sidecar.proxy import unreadable
from sidecar.proxy.limits import ClientLimits, ClientTimeouts
from sidecar.proxy.pieces import Pieces

_FLUSH_S = 1.0  # for a client that was refused a connection to read the refusal
_FIRST_REQUEST_S = 1.0  # for a client that connected just before we stopped, to begin its request
_SPARE_S = 60.0  # aiohttp's keep-alive timer must never be the one that acts: ours knows more
_NEVER = float("inf")
_CLOSED = (7, 8)  # TCP_CLOSE, TCP_CLOSE_WAIT of Linux (include/net/tcp_states.h)

_LINGER_S = 2.0
"""For the rest of a body nobody wants: closing with bytes unread would reset the answer away. Time
enough to read an answer, and not for more."""


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
    """Who counts connections."""

    def opened(self, connection: "ClientConnection") -> None:
        """Count one in."""
        ...

    def closed(self, connection: "ClientConnection") -> None:
        """Count one out."""
        ...


class Closable(Protocol):
    """A WebSocket that can be asked to end."""

    def close(self, code: int) -> None:
        """Begin the closing handshake with this code."""
        ...


class ClientConnection(web.RequestHandler):
    """One connection of a client, from its first byte to its last.

    Attributes:
        has_answer: The answer to the latest request has begun.
        is_foreign: A request on it spoke another protocol than HTTP.
        is_winding_up: It is closed after the request in flight.
        peer: What the other end is called: an IP address; empty for a Unix socket.
        tunnel: The WebSocket that it carries.
    """

    __slots__ = (
        "_deadline",
        "_is_alone",
        "_is_busy",
        "_is_head_begun",
        "_is_in_chunks",
        "_is_new",
        "_is_refused",
        "_is_unreadable",
        "_now",
        "_pieces",
        "_registry",
        "_spokesman",
        "_timeouts",
        "_upload",
        "_wire",
        "_writable",
        "has_answer",
        "is_foreign",
        "is_winding_up",
        "peer",
        "tunnel",
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
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # aiohttp's own way to say "no log"
            auto_decompress=False,
            keepalive_timeout=timeouts.keep_alive_s + _SPARE_S,
            max_line_size=MAX_TARGET_BYTES,
            max_field_size=limits.field_bytes,
            max_headers=limits.fields,
            lingering_time=_LINGER_S,
        )
        self._now = loop.time
        self._registry = cast(Registry, manager)
        self._spokesman = spokesman
        self._timeouts = timeouts
        self._is_refused = is_too_many
        self._is_busy = False
        self._is_head_begun = False
        self._is_new = True
        self._is_alone = False
        self._pieces = Pieces()
        self._is_unreadable = False
        self.has_answer = False
        self.is_foreign = False
        self.is_winding_up = False
        self.peer = ""
        self._deadline = _NEVER
        self._upload: StreamReader | None = None
        self._is_in_chunks = False
        self._writable: asyncio.Future[None] | None = None
        self._wire: asyncio.Transport | None = None
        self.tunnel: Closable | None = None

    @property
    def latest(self) -> bytes:
        """The beginning of the latest head; all that is known of one that cannot be read."""
        return self._pieces.head

    # --- asyncio.Protocol, as aiohttp implements it -----------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve, or say at once that there are too many already."""
        # uvloop's transports do the work of asyncio.Transport without being of its class.
        self._wire = cast(asyncio.Transport, transport)
        self._registry.opened(self)
        if self._is_refused:
            self._refuse(Overloaded("fewer connections at once"))
            return
        super().connection_made(transport)
        self.peer = _name_of(self.peername)
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wake whoever waits in `drain`, in vain."""
        self._registry.closed(self)
        self._wire = None
        super().connection_lost(exc)
        self._wake_writer(ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        """Parse bytes of the client.

        Heads and bodies are handed on one by one: aiohttp forgets every request that is read
        together with a malformed one, and every byte that is read together with a declined upgrade.
        """
        if self._is_refused:
            return
        if not data:  # aiohttp itself, to go on with what its parser has kept
            super().data_received(data)
            self._check_upload()
            return
        is_first = not self._is_busy and not self._is_head_begun
        if is_first:
            self._is_head_begun = True
            self._await_head()
            if self._pieces.is_lost:
                self._pieces.restart()
            if self._pieces.take_only(data):
                self._is_alone = True
                self._note_protocol()
                super().data_received(data)
                return
        if self.tunnel is None:
            # A head on a connection that is not fresh may have come while another request, read
            # long before, was about to begin: its end must not make us forget this one.
            self._feed(data, is_alone=is_first and self._pieces.is_fresh)
        else:
            super().data_received(data)

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
        if self._is_alone and keeps_alive:  # an idle connection need not hold a token
            self._pieces.restart()
        if self._upload is not None and self._upload.exception() is not None:
            self._upload.feed_eof()  # or aiohttp would read on, and log what it meets
        self._upload = None
        patience = self._timeouts.keep_alive_s if keeps_alive else self._timeouts.write_s
        self._deadline = self._now() + patience

    def expect_upload(self, content: StreamReader, *, is_chunked: bool) -> None:
        """Note a body that is still to come; chunks are watched for errors in their framing."""
        self._upload = content
        self._is_in_chunks = is_chunked
        self._check_upload()

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
        """Break the connection off, so that nobody takes what was sent for the whole answer."""
        if self._wire is not None:
            self._wire.abort()

    def check_deadline(self, now: float) -> None:
        """Close a connection whose client has taken too long; abort one that will not close."""
        if self._is_busy and self._has_left():
            self.abort()
        if now < self._deadline:
            return
        if self._wire is None or self._wire.is_closing() or self._is_refused:
            self.abort()
            return
        self._deadline = now + self._timeouts.write_s
        if self._is_head_begun:
            self._refuse(RequestTimeout("a whole request head in time"))
        self.force_close()

    # --- inside -----------------------------------------------------------------------------------

    def _feed(self, data: bytes, *, is_alone: bool) -> None:
        """Parse heads and bodies one by one, up to as many as aiohttp holds at once."""
        pieces, has_head = self._pieces, False
        for _ in range(2 * MAX_MSG_QUEUE_SIZE):
            if pieces.is_between():
                if has_head and self._has_parser_failed():
                    return  # what follows has no beginning
                self._is_alone, is_alone = is_alone, False
            piece, data = pieces.cut(data)
            if pieces.is_whole:
                self._note_protocol()
                has_head = True
            super().data_received(piece)
            if not data:
                break
        else:
            pieces.lose_track()
            super().data_received(data)
        self._check_upload()

    def _note_protocol(self) -> None:
        if unreadable.is_foreign(self._pieces.head):
            self.is_foreign = True

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

    def _await_head(self) -> None:
        self._deadline = self._now() + self._timeouts.head_s

    def _refuse(self, error: SidecarError) -> None:
        assert self._wire is not None  # noqa: S101 - there was somebody to refuse
        self._wire.write(self._spokesman.refuse_connection(error, self.latest))
        if self._is_refused:
            # Half-closed first: closing at once could reset the answer away before it is read.
            self._wire.write_eof()
            self._deadline = self._now() + _FLUSH_S

    def _check_upload(self) -> None:
        content = self._upload
        if content is None or not self._is_in_chunks or content.is_eof():
            return
        if content.exception() is not None:
            return
        if self._has_parser_failed():
            content.set_exception(RequestMalformed("a body in its announced framing"))

    def _has_parser_failed(self) -> bool:
        """Tell whether the parser has given up; nothing more can be read then.

        aiohttp keeps that for after the request, which may wait for its body in vain. Every
        call of its parser adds one more error to its queue, and a full queue stops the reading;
        a sound parser does nothing with no bytes. Measured: 1.5 µs.
        """
        if self._wire is not None and self._wire.is_reading():
            for _ in range(MAX_MSG_QUEUE_SIZE):
                super().data_received(b"")
            self._is_unreadable = not self._wire.is_reading()
        return self._is_unreadable

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
