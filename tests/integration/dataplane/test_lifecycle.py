"""Start, stop, and one process after another on the same port."""

import asyncio
import signal
from pathlib import Path

from sidecar.model import Address
from tests.integration.dataplane.conftest import dial, until
from tests.support.key_server import KeyServer
from tests.support.raw_client import ask
from tests.support.recording_backend import OK, Exchange, RecordingBackend
from tests.support.sidecar_process import sidecar_process

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
# Long enough for every client to be told in an answer to close, on a busy machine too.
PATIENT = "[timeouts]\ngrace_s = 2\ndrain_s = 5\n"
FAST = "[timeouts]\ngrace_s = 0.5\ndrain_s = 5\n"


async def test_stop_lets_the_request_in_flight_finish(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """SIGTERM: not ready, serving on for the grace period, then what is under way, then 0."""
    go = asyncio.Event()

    async def reply(_: Exchange, _r: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(OK)

    async with sidecar_process(
        tmp_path, upstream=backend.url, jwks_url=key_server.url, table=FAST
    ) as sidecar:
        backend.reply = reply
        slow = asyncio.ensure_future(ask(sidecar.address, GET, timeout_s=10))
        await until(lambda: len(backend.requests) == 1)
        sidecar.process.send_signal(signal.SIGTERM)
        await sidecar.until_not_ready()
        backend.reply = OK
        during = await ask(sidecar.address, GET)
        assert (during.status, during.is_closing) == (200, True)
        go.set()
        assert (await slow).status == 200
        assert await sidecar.process.wait() == 0


async def test_second_signal_stops_at_once(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """Whatever is under way is broken off, and the exit status is 0 all the same."""

    async def never(_: Exchange, _r: asyncio.StreamReader, _w: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    backend.reply = never
    async with sidecar_process(
        tmp_path, upstream=backend.url, jwks_url=key_server.url, table="[timeouts]\ndrain_s = 50\n"
    ) as sidecar:
        _, writer = await dial(sidecar.address)
        writer.write(GET)
        await until(lambda: len(backend.requests) == 1)
        sidecar.process.send_signal(signal.SIGTERM)
        await sidecar.until_not_ready()
        sidecar.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(3):
            assert await sidecar.process.wait() == 0
        writer.close()


async def test_restart_under_load_fails_no_request(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """A new process takes over on the same port; every request before, during and after is 200.

    A handshake that is under way in the very instant in which the old socket closes is reset by the
    kernel (unless net.ipv4.tcp_migrate_req is 1): nobody has seen that request, and its client
    dials again, as clients do. It may happen to a few, and only to new connections.
    """
    statuses: list[int] = []
    turned_away: list[ConnectionError] = []
    done = asyncio.Event()

    async def client(address: Address, *, is_keeping: bool) -> None:
        while not done.is_set():
            reader, writer = await dial(address)
            try:
                writer.write(GET)
                head = await reader.readuntil(b"\r\n\r\n")
            except ConnectionError as error:  # with a byte of an answer it would be another error
                turned_away.append(error)
                writer.close()
                continue
            await reader.readexactly(2)
            statuses.append(int(head[9:12]))
            is_closing = b"Connection: close" in head or not is_keeping
            while not is_closing and not done.is_set():
                writer.write(GET)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
                statuses.append(int(head[9:12]))
                is_closing = b"Connection: close" in head or not is_keeping
            writer.close()
            await writer.wait_closed()

    async with sidecar_process(
        tmp_path, upstream=backend.url, jwks_url=key_server.url, table=PATIENT
    ) as old:
        clients = [
            asyncio.ensure_future(client(old.address, is_keeping=index % 2 == 0))
            for index in range(16)
        ]
        await until(lambda: len(statuses) > 200)
        async with sidecar_process(
            tmp_path,
            upstream=backend.url,
            jwks_url=key_server.url,
            table=FAST,
            address=old.address,
        ):
            old.process.send_signal(signal.SIGTERM)
            assert await old.process.wait() == 0
            count = len(statuses)
            await until(lambda: len(statuses) > count + 200)
            done.set()
            await asyncio.gather(*clients)
    assert set(statuses) == {200}
    assert len(turned_away) <= 3
