"""The backend: connections to it, and which of them may be used again."""

import asyncio

from sidecar.errors import UpstreamTimeout, UpstreamUnreachable
from sidecar.model import Address
from sidecar.proxy.upstream_connection import (
    StaleConnection,
    UpstreamConnection,
    UpstreamTimeouts,
)

_SWEEP_S = (
    0.25  # how late a timeout may be noticed; one timer for all connections, none per request
)


class UpstreamPool:
    """Connections to one backend. A class because connections live longer than requests.

    Args:
        address: Of the backend; a name is looked up anew for each connection.
        timeouts: What the backend may take.
    """

    def __init__(self, address: Address, timeouts: UpstreamTimeouts) -> None:
        self._address = address
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._idle: list[UpstreamConnection] = []
        self._open: set[UpstreamConnection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    async def send(self, data: bytes, *, is_head: bool, is_repeatable: bool) -> UpstreamConnection:
        """Send the beginning of a request over a pooled or a new connection.

        Args:
            data: The request's head and as much of its body as is at hand.
            is_head: The method is HEAD.
            is_repeatable: The request is whole and its method safe, so that it may be sent again if
                the pooled connection turns out to be dead.

        Returns:
            The connection; its `head` has been waited for if the request is repeatable.

        Raises:
            UpstreamUnreachable: No connection can be made.
            UpstreamTimeout, UpstreamBroken: As `UpstreamConnection.head`.
        """
        pooled = self._take_idle()
        if pooled is not None:
            pooled.start(data, is_head=is_head, is_reused=True)
            if not is_repeatable:
                return pooled
            try:
                await pooled.head()
            except StaleConnection:
                pass
            except BaseException:
                pooled.close()
                raise
            else:
                return pooled
        connection = await self._connect()
        connection.start(data, is_head=is_head, is_reused=False)
        return connection

    def release(self, connection: UpstreamConnection) -> None:
        """Give a connection back: into the pool if another request may be sent over it."""
        if connection.is_reusable:
            connection.idle_since = self._loop.time()
            self._idle.append(connection)
        else:
            connection.close()
            self._open.discard(connection)

    def close(self) -> None:
        """Drop all connections."""
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._idle.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    async def _connect(self) -> UpstreamConnection:
        address, factory = self._address, self._new_connection
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                if address.path:
                    _, connection = await self._loop.create_unix_connection(factory, address.path)
                else:
                    _, connection = await self._loop.create_connection(
                        factory, address.host, address.port
                    )
        except TimeoutError as error:
            raise UpstreamTimeout("a backend that accepts connections") from error
        except OSError as error:
            raise UpstreamUnreachable("a backend that listens") from error
        self._open.add(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        return connection

    def _new_connection(self) -> UpstreamConnection:
        return UpstreamConnection(self._loop, self._timeouts)

    def _take_idle(self) -> UpstreamConnection | None:
        now = self._loop.time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable and now - connection.idle_since < self._timeouts.keep_idle_s:
                return connection
            connection.close()
            self._open.discard(connection)
        return None

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._open):
            if connection.deadline < now:
                connection.fail(UpstreamTimeout("an answer in time"))
            if not connection.is_open:
                self._open.discard(connection)
        self._idle = [c for c in self._idle if self._keep(c, now)]
        self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep) if self._open else None

    def _keep(self, connection: UpstreamConnection, now: float) -> bool:
        if connection.is_reusable and now - connection.idle_since < self._timeouts.keep_idle_s:
            return True
        connection.close()
        self._open.discard(connection)
        return False
