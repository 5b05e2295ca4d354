"""The backend: connections to it, and which of them may be used again."""

import asyncio

from sidecar.errors import Overloaded, UpstreamTimeout, UpstreamUnreachable
from sidecar.model import Address
from sidecar.proxy.outbox import Outbox
from sidecar.proxy.response_head import KnownHeads
from sidecar.proxy.upstream_connection import (
    UpstreamConnection,
    UpstreamTimeouts,
)

_SWEEP_S = 0.25
"""How late a timeout may be noticed. One timer for all connections, none per request."""

_BACK_OFF_S = 1.0
"""After a connection attempt that timed out: until then others fail at once, not each in turn."""


class UpstreamPool:
    """Connections to one backend. A class because connections live longer than requests.

    Args:
        address: Of the backend; a name is looked up anew for each connection.
        timeouts: What the backend may take.
        max_connections: Open at once, those in use and those idle.
        outbox: Says when requests go out.
    """

    def __init__(
        self,
        address: Address,
        timeouts: UpstreamTimeouts,
        max_connections: int,
        outbox: Outbox,
    ) -> None:
        self._address = address
        self._timeouts = timeouts
        self._max_connections = max_connections
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._known = KnownHeads()
        self._idle: list[UpstreamConnection] = []
        self._open: set[UpstreamConnection] = set()
        self._connecting = 0
        self._retry_at = 0.0
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def open_count(self) -> int:
        """Connections to the backend."""
        return len(self._open)

    @property
    def idle_count(self) -> int:
        """Those of them that carry no request."""
        return len(self._idle)

    def take(self) -> UpstreamConnection | None:
        """Take a pooled connection, if there is one. It may turn out to be dead.

        Returns:
            The connection. It must be released.
        """
        now = self._now()
        while self._idle:
            connection = self._idle.pop()
            if self._is_fresh(connection, now):
                return connection
            self._drop(connection)
        return None

    async def open(self) -> UpstreamConnection:
        """Make a new connection.

        Returns:
            The connection. It must be released.

        Raises:
            UpstreamUnreachable: No connection can be made.
            Overloaded: As many connections as allowed are in use.
            UpstreamTimeout: It takes too long.
        """
        if len(self._open) + self._connecting >= self._max_connections:
            raise Overloaded("fewer connections to the backend")
        if self._now() < self._retry_at:
            raise UpstreamTimeout("a backend that accepts connections")
        self._connecting += 1
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                connection = await self._open_connection()
        except TimeoutError as error:
            self._retry_at = self._now() + _BACK_OFF_S
            raise UpstreamTimeout("a backend that accepts connections") from error
        except OSError as error:
            raise UpstreamUnreachable("a backend that listens") from error
        finally:
            self._connecting -= 1
        self._open.add(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        return connection

    def release(self, connection: UpstreamConnection) -> None:
        """Give a connection back: into the pool if another request may be sent over it."""
        now = self._now()
        if connection.is_reusable and now - connection.opened_at < self._timeouts.keep_s:
            connection.idle_since = now
            connection.is_reused = True
            self._idle.append(connection)
        else:
            self._drop(connection)

    def close(self) -> None:
        """Drop all connections."""
        for connection in tuple(self._open):
            self._drop(connection)
        self._idle.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    async def _open_connection(self) -> UpstreamConnection:
        address = self._address
        if address.path:
            _, connection = await self._loop.create_unix_connection(self._new, address.path)
        else:
            _, connection = await self._loop.create_connection(
                self._new, address.host, address.port
            )
        return connection

    def _new(self) -> UpstreamConnection:
        return UpstreamConnection(self._loop, self._timeouts, self._known, self._outbox)

    def _sweep(self) -> None:
        now = self._now()
        for connection in tuple(self._open):
            if connection.deadline < now:
                connection.fail(UpstreamTimeout("an answer in time"))
            if not connection.is_open:
                self._open.discard(connection)
        for connection in self._idle:
            if not self._is_fresh(connection, now):
                self._drop(connection)
        self._idle = [connection for connection in self._idle if connection in self._open]
        self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep) if self._open else None

    def _is_fresh(self, connection: UpstreamConnection, now: float) -> bool:
        return connection.is_reusable and now - connection.idle_since < self._timeouts.keep_idle_s

    def _drop(self, connection: UpstreamConnection) -> None:
        connection.close()
        self._open.discard(connection)
