"""Sockets that another process can take over, without a connection lost in between.

`SO_REUSEPORT` lets a new process listen on the port of the old one; the kernel shares connections
out between them. Those that wait in the old one's queue when it stops are accepted, not dropped.
"""

import asyncio
import contextlib
import errno
import socket

from aiohttp import web

from sidecar.errors import ListenFailed
from sidecar.model import Address

BACKLOG = 1024
"""Connections that wait to be accepted; the kernel may allow fewer."""


class Listener:
    """One address that is listened on. A class because it is opened and closed.

    Args:
        runner: Serves the connections.
        address: TCP or a Unix socket.
        inherited: Listens there already, in other processes too; None if we are to begin.
    """

    def __init__(
        self, runner: web.BaseRunner, address: Address, inherited: socket.socket | None = None
    ) -> None:
        self._runner = runner
        self._address = address
        self._inherited = inherited
        self._sockets: list[socket.socket] = []

    async def start(self) -> Address:
        """Listen.

        Returns:
            The address, with the port that the system chose.

        Raises:
            ListenFailed: The address is in use or not ours.
        """
        await self._runner.setup()
        try:
            if self._inherited is not None:
                self._sockets.append(self._inherited)
                await _InheritedSite(self._runner, self._inherited).start()
                return self._address
            if self._address.path:
                await web.UnixSite(self._runner, self._address.path, backlog=BACKLOG).start()
                return self._address
            return await self._start_tcp()
        except OSError as error:
            raise ListenFailed(why_not(self._address, error)) from error

    async def stop(self) -> None:
        """Accept who waits already, stop listening, and let requests in flight finish.

        A handshake under way in the instant of closing is reset by the kernel, unless
        net.ipv4.tcp_migrate_req is 1 (Linux 5.14): then the new process gets it.
        """
        accepted = [connection for listening in self._sockets for connection in _waiting(listening)]
        for site in self._runner.sites:
            await site.stop()
        server = self._runner.server
        if server is not None:
            loop = asyncio.get_running_loop()
            for connection in accepted:
                await loop.connect_accepted_socket(server, connection)
        await self._runner.cleanup()

    async def _start_tcp(self) -> Address:
        address, self._sockets = await bind(self._address)
        for listening in self._sockets:
            await web.SockSite(self._runner, listening, backlog=BACKLOG).start()
        return address


async def bind(address: Address) -> tuple[Address, list[socket.socket]]:
    """Take a TCP port that other processes of ours may take too, without listening yet.

    Returns:
        The address, with the port that the system chose, and a socket for each of its families.

    Raises:
        OSError: The address is in use or not ours.
    """
    port, loop = address.port, asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        address.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    with contextlib.ExitStack() as taken:
        sockets = []
        for family, _, _, _, where in dict.fromkeys(found):
            sockets.append(taken.enter_context(_bound(family, (where[0], port, *where[2:]))))
            port = sockets[-1].getsockname()[1]
        taken.pop_all()
    return Address(address.host, port), sockets


def why_not(address: Address, error: OSError) -> str:
    """Say why an address cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen on {address}: the port is taken by another process"
    return f"cannot listen on {address}: {error.strerror or error}"


class _InheritedSite(web.BaseSite):
    """A Unix socket that another process has made; aiohttp's own `SockSite` takes TCP alone."""

    def __init__(self, runner: web.BaseRunner, listening: socket.socket) -> None:
        super().__init__(runner, backlog=BACKLOG)
        self._listening = listening

    @property
    def name(self) -> str:
        return f"http://unix:{self._listening.getsockname()}:"

    async def start(self) -> None:
        await super().start()
        server = self._runner.server
        assert server is not None  # noqa: S101 - BaseSite takes no runner without
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            server, sock=self._listening, backlog=self._backlog
        )


def _bound(family: int, where: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)  # noqa: FBT003 - the standard library's signature
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(where)
    except BaseException:
        listening.close()
        raise
    return listening


def _waiting(listening: socket.socket) -> list[socket.socket]:
    accepted = []
    with contextlib.suppress(OSError):  # BlockingIOError: nobody waits any more
        while True:
            connection, _ = listening.accept()
            connection.setblocking(False)  # noqa: FBT003 - the standard library's signature
            accepted.append(connection)
    return accepted
