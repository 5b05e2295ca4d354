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

_BACKLOG = 1024  # connections that wait to be accepted; the kernel may allow fewer


class Listener:
    """One address that is listened on. A class because it is opened and closed.

    Args:
        runner: Serves the connections.
        address: TCP or a Unix socket.
    """

    def __init__(self, runner: web.BaseRunner, address: Address) -> None:
        self._runner = runner
        self._address = address
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
            if self._address.path:
                await web.UnixSite(self._runner, self._address.path, backlog=_BACKLOG).start()
                return self._address
            return await self._start_tcp()
        except OSError as error:
            raise ListenFailed(_why_not(self._address, error)) from error

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
        host, port = self._address.host, self._address.port
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, where in dict.fromkeys(found):
            listening = _bound(family, (where[0], port, *where[2:]))
            port = listening.getsockname()[1]
            self._sockets.append(listening)
            await web.SockSite(self._runner, listening, backlog=_BACKLOG).start()
        return Address(host, port)


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


def _why_not(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen on {address}: the port is taken by another process"
    return f"cannot listen on {address}: {error.strerror or error}"
