"""Memory stays bounded whatever a body's size: measured on a process of its own."""

import asyncio
from pathlib import Path

from tests.integration.dataplane.conftest import dial
from tests.support.key_server import KeyServer
from tests.support.scripted_backend import scripted
from tests.support.sidecar_process import sidecar_process

MIB = 1 << 20
GROWTH_BYTES = 24 * MIB
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def _settled(written: list[int]) -> None:
    """Wait until the writer is stuck: nothing more was taken for half a second."""
    before = -1
    while written[0] != before:
        before = written[0]
        await asyncio.sleep(0.5)


async def test_stalled_reader_of_400_mib_costs_little(
    key_server: KeyServer, tmp_path: Path
) -> None:
    """The backend is made to wait, and once the client reads on all of it arrives."""
    written = [0]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if written[0]:
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (400 * MIB))
        for _ in range(400):
            writer.write(bytes(MIB))
            await writer.drain()
            written[0] += 1

    async with (
        scripted(script) as backend,
        sidecar_process(tmp_path, upstream=backend.url, jwks_url=key_server.url) as sidecar,
    ):
        before = sidecar.rss_bytes
        reader, writer = await dial(sidecar.address)
        writer.write(GET)
        await reader.read(1000)
        await _settled(written)
        assert written[0] < 40
        assert sidecar.rss_bytes - before < GROWTH_BYTES
        received = 0
        while data := await reader.read(MIB):
            received += len(data)
        writer.close()
        assert received > 400 * MIB - 1000
        assert sidecar.rss_bytes - before < GROWTH_BYTES


async def test_stalled_upload_of_200_mib_costs_little(
    key_server: KeyServer, tmp_path: Path
) -> None:
    """The client is made to wait, and once the backend reads on all of it arrives."""
    written, go = [0], asyncio.Event()
    received = [0]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await go.wait()
        while received[0] < 200 * MIB:
            received[0] += len(await reader.read(MIB))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with (
        scripted(script) as backend,
        sidecar_process(tmp_path, upstream=backend.url, jwks_url=key_server.url) as sidecar,
    ):
        before = sidecar.rss_bytes
        reader, writer = await dial(sidecar.address)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (200 * MIB))

        async def upload() -> None:
            for _ in range(200):
                writer.write(bytes(MIB))
                await writer.drain()
                written[0] += 1

        uploading = asyncio.ensure_future(upload())
        await _settled(written)
        assert written[0] < 40
        assert sidecar.rss_bytes - before < GROWTH_BYTES
        go.set()
        await uploading
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert received[0] == 200 * MIB
        assert sidecar.rss_bytes - before < GROWTH_BYTES
        writer.close()
