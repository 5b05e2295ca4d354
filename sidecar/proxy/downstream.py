"""The clients' side: aiohttp's server, with a cap on connections, deadlines and a drain of its own.

Public API of aiohttp only. Its parser and keep-alive are used as they are.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from sidecar.proxy.downstream_connection import ClientConnection, Spokesman
from sidecar.proxy.limits import ClientLimits, ClientTimeouts
from sidecar.proxy.outbox import Outbox

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SWEEP_S = 0.25
"""How late a deadline may be noticed. One timer for all connections, none per request."""

_CLEANUP_S = 2.0  # for handlers whose connection was broken off, to give their backends up
_GOING_AWAY = 1001  # RFC 6455 §7.4.1


class ClientServer(web.Server):
    """aiohttp's low-level server, making `ClientConnection`s.

    Args:
        handler: Answers requests.
        spokesman: Words what is said where there is no request to answer.
        timeouts: How long a client may take.
        limits: How much it may send.
        outbox: Says when answers go out.

    Attributes:
        outbox: The same.
    """

    def __init__(
        self,
        handler: Handler,
        spokesman: Spokesman,
        timeouts: ClientTimeouts,
        limits: ClientLimits,
        outbox: Outbox,
    ) -> None:
        # The handler is cancelled when its client leaves, which closes the backend connection.
        super().__init__(handler, handler_cancellation=True)
        self._spokesman = spokesman
        self._timeouts = timeouts
        self._limits = limits
        self.outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._open: set[ClientConnection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of a new connection."""
        is_too_many = len(self._open) >= self._limits.connections
        return ClientConnection(
            self, self._spokesman, self._timeouts, self._limits, is_too_many=is_too_many
        )

    @property
    def open_count(self) -> int:
        """Connections of clients."""
        return len(self._open)

    def opened(self, connection: ClientConnection) -> None:
        """Count a connection in."""
        self._open.add(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)

    def closed(self, connection: ClientConnection) -> None:
        """Count a connection out."""
        self._open.discard(connection)
        if not self._open:
            self._idle.set()

    def pre_shutdown(self) -> None:
        """Close what is idle; tell what is not. aiohttp's own would cut uploads off here."""
        for connection in tuple(self._open):
            connection.wind_up(_GOING_AWAY)

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - aiohttp's signature
        """Let requests in flight finish for `timeout` seconds, then break off what is left."""
        try:
            async with asyncio.timeout(timeout):
                while self._open:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            self.abort()
        await super().shutdown(_CLEANUP_S)
        if self._sweeper is not None:
            self._sweeper.cancel()

    def abort(self) -> None:
        """Break off every connection at once."""
        for connection in tuple(self._open):
            connection.abort()

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._open):
            connection.check_deadline(now)
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep) if self._open else None
