"""WebSockets: a tunnel once the backend has said 101, by the rules of any request before."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from sidecar.model import BearerToken
from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.integration.dataplane.conftest import StartWith, dial, until
from tests.support import mint
from tests.support.raw_client import converse
from tests.support.recording_backend import RecordingBackend
from tests.support.scripted_backend import scripted

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
MIB = 1 << 20


class Echo:
    """A WebSocket server that sends back what it gets. A class because it notes how each ended."""

    def __init__(self) -> None:
        self.subs: list[str | None] = []
        self.codes: list[int | None] = []
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self.server = TestServer(app)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        self.subs.append(request.headers.get("X-Cognito-Sub"))
        socket = web.WebSocketResponse(protocols=("chat",), max_msg_size=32 * MIB)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data.startswith("close"):
                await socket.close(code=int(message.data[5:]), message=b"bye")
            elif message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        self.codes.append(socket.close_code)
        return socket


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """Run an echo server."""
    echo = Echo()
    await echo.server.start_server()
    yield echo
    await echo.server.close()


def url(sidecar: Sidecar) -> str:
    """Return the address of the socket."""
    return f"http://{sidecar.address}/ws"


def bearer(token: BearerToken) -> dict[str, str]:
    """Make the field that carries a token."""
    return {"Authorization": f"Bearer {token.decode()}"}


async def test_socket_carries_messages_and_identity(
    start_sidecar: StartSidecar, echo: Echo, token: BearerToken
) -> None:
    """Subprotocol, texts, bytes and the proven caller go through."""
    sidecar = await start_sidecar(upstream=str(echo.server.make_url("")), mode="require")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url(sidecar), headers=bearer(token), protocols=["chat"]) as socket,
    ):
        assert socket.protocol == "chat"
        for index in range(50):
            await socket.send_str(f"hello {index}")
            assert (await socket.receive_str()) == f"hello {index}"
        await socket.ping()
        await socket.close(code=4000)
    await until(lambda: echo.codes == [4000])
    assert echo.subs == [mint.SUB]


async def test_socket_without_a_token_is_refused_at_the_handshake(
    start_sidecar: StartSidecar, echo: Echo
) -> None:
    """401, and the backend sees nothing."""
    sidecar = await start_sidecar(upstream=str(echo.server.make_url("")), mode="require")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url(sidecar))
    assert refused.value.status == 401
    assert echo.subs == []


async def test_forged_identity_at_the_handshake_is_removed(
    start_sidecar: StartSidecar, echo: Echo
) -> None:
    """A socket is stripped like any request."""
    sidecar = await start_sidecar(upstream=str(echo.server.make_url("")))
    forged = {"X-Cognito-Sub": "forged", "X_Cognito_Sub": "forged"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url(sidecar), headers=forged),
    ):
        pass
    assert echo.subs == [None]


async def test_big_message_passes(start_sidecar: StartSidecar, echo: Echo) -> None:
    """16 MiB, there and back."""
    sidecar = await start_sidecar(upstream=str(echo.server.make_url("")))
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url(sidecar), max_msg_size=32 * MIB) as socket,
    ):
        await socket.send_bytes(bytes(16 * MIB))
        assert len(await socket.receive_bytes()) == 16 * MIB


async def test_message_above_the_limit_is_closed_with_1009(
    start_with: StartWith, echo: Echo
) -> None:
    """The limit counts all frames of a message; the backend gets none of the one too many."""
    table = "[limits]\nwebsocket_message_bytes = 1000\n"
    sidecar = await start_with(table, upstream=str(echo.server.make_url("")))
    async with aiohttp.ClientSession() as session, session.ws_connect(url(sidecar)) as socket:
        await socket.send_bytes(bytes(1000))
        assert len(await socket.receive_bytes()) == 1000
        await socket.send_bytes(bytes(1001))
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket.close_code == 1009


async def test_backends_close_code_arrives(start_sidecar: StartSidecar, echo: Echo) -> None:
    """Code and words of the backend."""
    sidecar = await start_sidecar(upstream=str(echo.server.make_url("")))
    async with aiohttp.ClientSession() as session, session.ws_connect(url(sidecar)) as socket:
        await socket.send_str("close4321")
        message = await socket.receive()
        assert (message.data, message.extra) == (4321, "bye")


async def test_socket_is_closed_when_its_token_expires(
    start_sidecar: StartSidecar, echo: Echo
) -> None:
    """4401 to both sides, at the second at which the token ends."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    sidecar = await start_sidecar(upstream=str(echo.server.make_url("")))
    token = mint.mint(now=now, exp=int(now) + 2)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url(sidecar), headers=bearer(token)) as socket,
    ):
        await socket.send_str("hello")
        assert await socket.receive_str() == "hello"
        assert (await socket.receive(timeout=5)).type is WSMsgType.CLOSE
        assert socket.close_code == 4401
    await until(lambda: echo.codes == [4401])


async def test_socket_outlives_its_token_where_the_settings_say_so(
    start_with: StartWith, echo: Echo
) -> None:
    """`websocket_expiry = false` leaves it open."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    table = "websocket_expiry = false\n"
    sidecar = await start_with(table, upstream=str(echo.server.make_url("")))
    token = mint.mint(now=now, exp=int(now) + 1)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url(sidecar), headers=bearer(token)) as socket,
    ):
        with pytest.raises(asyncio.TimeoutError):
            await socket.receive(timeout=1.5)


async def test_socket_is_closed_with_1001_when_the_sidecar_stops(
    start_sidecar: StartSidecar, echo: Echo
) -> None:
    """Going away, said to both sides."""
    sidecar = await start_sidecar(upstream=str(echo.server.make_url("")))
    async with aiohttp.ClientSession() as session, session.ws_connect(url(sidecar)) as socket:
        await socket.send_str("hello")
        await socket.receive_str()
        stopping = asyncio.ensure_future(sidecar.__aexit__(None, None, None))
        assert (await socket.receive(timeout=5)).type is WSMsgType.CLOSE
        assert socket.close_code == 1001
        await stopping
    await until(lambda: echo.codes == [1001])


async def test_client_that_leaves_ends_the_backends_socket(start_sidecar: StartSidecar) -> None:
    """Without a closing handshake too, within a second."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH)
        await reader.read()

    async with scripted(script) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        reader, writer = await dial(sidecar.address)
        writer.write(HANDSHAKE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        await until(lambda: backend.open_connections == 0, timeout_s=1)


async def test_bytes_after_a_declined_handshake_are_a_request(
    start_sidecar: StartSidecar, backend: RecordingBackend
) -> None:
    """No tunnel without 101: what follows is judged like anything else."""
    sidecar = await start_sidecar()
    smuggled = b"GET /admin HTTP/1.1\r\nHost: a\r\nX-Cognito-Sub: forged\r\n\r\n"
    talk = await converse(sidecar.address, [HANDSHAKE + b"\r\n" + smuggled], count=2)
    assert [answer.status for answer in talk.answers] == [200, 200]
    assert [request.target for request in backend.requests] == ["/ws", "/admin"]
    assert backend.last.values("x-cognito-sub") == []


async def test_frames_sent_with_the_handshake_are_delivered(start_sidecar: StartSidecar) -> None:
    """An eager client loses nothing, and neither does an eager backend."""
    got: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH + b"\x82\x03abc")
        got.append(await reader.readexactly(9))
        writer.write(b"\x88\x00")

    async with scripted(script) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        reader, writer = await dial(sidecar.address)
        frame = b"\x82\x83\x01\x02\x03\x04xyz"
        writer.write(HANDSHAKE + b"\r\n" + frame)
        received = await reader.read()
        writer.close()
    assert received.endswith(b"\r\n\r\n\x82\x03abc\x88\x00")
    assert got == [frame]


async def test_handshake_with_a_body_is_a_plain_request(
    sidecar: Sidecar, backend: RecordingBackend
) -> None:
    """`Upgrade` is removed from it."""
    raw = HANDSHAKE + b"Content-Length: 2\r\n\r\nhi"
    talk = await converse(sidecar.address, [raw], count=1)
    assert [answer.status for answer in talk.answers] == [200]
    assert backend.last.values("upgrade") == []
    assert backend.last.body == b"hi"
