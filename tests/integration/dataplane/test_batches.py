"""Answers that wait to be sent with others reach clients whatever happens in that instant.

On uvloop, which closes a connection at its client's EOF before anything else has its turn.
"""

import asyncio
import socket
from collections.abc import Callable

import uvloop
from aiohttp import web

from sidecar.errors import SidecarError
from sidecar.proxy.client import Client
from sidecar.proxy.downstream import ClientServer
from sidecar.proxy.limits import ClientLimits, ClientTimeouts
from sidecar.proxy.outbox import FEW, Outbox

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TIMEOUTS = ClientTimeouts(5, 5, 5, 5, 5)
LIMITS = ClientLimits(10, 10, 0, 8190, 100, 1)

Answer = Callable[[Client, socket.socket], None]


class Silent:
    """Nothing has to be refused in these tests."""

    def refuse_unreadable(
        self, request: web.BaseRequest, error: SidecarError
    ) -> web.StreamResponse:
        """Never be asked."""
        raise NotImplementedError

    def refuse_connection(self, error: SidecarError, latest: bytes) -> bytes:
        """Never be asked."""
        raise NotImplementedError


def received(answer: Answer) -> bytes:
    """Return what a client of a busy server gets up to the end of its connection."""
    return uvloop.run(_received(answer))


async def _received(answer: Answer) -> bytes:
    loop = asyncio.get_running_loop()
    outbox = Outbox(loop)
    outbox.in_flight = FEW + 1
    with socket.socket() as client:

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            asked = Client(request)
            answer(asked, client)
            return asked.sent()

        server = ClientServer(handle, Silent(), TIMEOUTS, LIMITS, outbox)
        listener = await loop.create_server(server, "127.0.0.1", 0)
        client.settimeout(0)
        await loop.sock_connect(client, listener.sockets[0].getsockname())
        await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        got = b""
        try:
            while piece := await loop.sock_recv(client, 1000):
                got += piece
        except ConnectionResetError:
            pass
        listener.close()
        await listener.wait_closed()
        await server.shutdown(1)
        return got


def test_answer_to_a_client_that_stops_sending_in_that_instant_is_not_lost() -> None:
    """Half-closing is how some clients say that they ask no more."""

    def answer(client: Client, end: socket.socket) -> None:
        end.shutdown(socket.SHUT_WR)
        client.send_whole(200, ANSWER)

    assert received(answer) == ANSWER


def test_beginning_of_an_answer_that_breaks_off_is_seen() -> None:
    """A client that saw nothing may take the connection for a stale one, and ask again."""

    def answer(client: Client, _: socket.socket) -> None:
        client.begin(200, ANSWER[:-1])
        client.abort()

    assert received(answer) == ANSWER[:-1]
