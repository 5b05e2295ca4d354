"""What a review found that no table had: each once reproduced, and fixed."""

import asyncio
import socket
import time
from pathlib import Path

from sidecar.model import BearerToken
from tests.conftest import StartSidecar
from tests.support import mint
from tests.support.raw_client import talk
from tests.support.recording_backend import Exchange, RecordingBackend

POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nPOISONED"


async def test_late_body_of_a_head_response_answers_nobody_else(
    start_sidecar: StartSidecar, backend: RecordingBackend
) -> None:
    """A backend that sends the body of a HEAD after all does not answer the next user with it."""
    sidecar = await start_sidecar()
    late = asyncio.Event()

    async def reply(
        exchange: Exchange, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if exchange.method == "HEAD":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(POISON))
            await writer.drain()
            await late.wait()
            writer.write(POISON)
        else:
            late.set()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngenuine")

    backend.reply = reply
    reader, writer = await asyncio.open_connection(sidecar.address.host, sidecar.address.port)
    writer.write(b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.close()
    answers = await talk(sidecar.address, [b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n"])
    assert [answer.body for answer in answers] == [b"genuine"]


async def test_name_of_a_unix_client_is_no_address(
    start_sidecar: StartSidecar, backend: RecordingBackend, tmp_path: Path
) -> None:
    """A client that calls its end of the socket `10.1.2.3` is not the trusted proxy."""
    path = tmp_path / "s.sock"
    await start_sidecar(listen=f"unix:{path}", trusted_proxies="10.0.0.0/8")
    with socket.socket(socket.AF_UNIX) as client:
        client.bind(b"\0" + b"10.1.2.3")
        client.setblocking(False)  # noqa: FBT003 - the standard library's own parameter
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, str(path))
        request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
        await loop.sock_sendall(client, request)
        assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 200 ")
    assert backend.last.values("x-forwarded-for") == []


async def test_websocket_does_not_gain_the_time_its_backend_took(
    start_sidecar: StartSidecar, backend: RecordingBackend
) -> None:
    """The token's time runs while the backend thinks about the handshake."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    token: BearerToken = mint.mint(now=now, exp=int(now) + 3)

    async def reply(
        _exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await asyncio.sleep(2)  # the slow backend itself
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        await writer.drain()
        await reader.read()

    backend.reply = reply
    sidecar = await start_sidecar()
    reader, writer = await asyncio.open_connection(sidecar.address.host, sidecar.address.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Authorization: Bearer " + token + b"\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    frame = await asyncio.wait_for(reader.readexactly(4), 5)
    assert frame[0] == 0x88  # a close frame
    assert int.from_bytes(frame[2:4], "big") == 4401
    assert time.time() < now + 4  # noqa: TID251 - as above
    writer.close()
