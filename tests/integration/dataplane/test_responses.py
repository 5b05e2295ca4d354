"""Responses as the client gets them."""

import asyncio

import pytest

from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.integration.dataplane.conftest import dial, read_all, until
from tests.support.raw_client import ask, converse
from tests.support.recording_backend import OK, RecordingBackend
from tests.support.scripted_backend import Script, answering, scripted

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
KEPT = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def through(start_sidecar: StartSidecar, script: Script, request: bytes = GET) -> bytes:
    """Return every byte that comes back for one request."""
    async with scripted(script) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        reader, writer = await dial(sidecar.address)
        writer.write(request)
        received = await read_all(reader)
        writer.close()
        return received


def body_of(received: bytes) -> bytes:
    """Return what follows the head."""
    return received.partition(b"\r\n\r\n")[2]


async def test_status_reason_and_fields_pass_in_order(start_sidecar: StartSidecar) -> None:
    """Phrase, order, spelling and duplicates are the backend's; two fields are added."""
    head = b"HTTP/1.1 299 Odd Enough\r\nx-B: 1\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n"
    head += b"Set-Cookie: b=2\r\nX-a: \xe9\r\n"
    received = await through(start_sidecar, answering(head + b"\r\nok"))
    lines = received.split(b"\r\n")
    assert lines[:6] == head.split(b"\r\n")[:6]
    names = [line.partition(b":")[0] for line in lines[6:9]]
    assert names == [b"X-Cognito-Auth", b"X-Request-Id", b"Connection"]
    assert body_of(received) == b"ok"


async def test_hop_by_hop_fields_end_here(start_sidecar: StartSidecar) -> None:
    """`Connection`, what it names, and our own field's name are the proxy's."""
    response = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
        b"X-Cognito-Auth: forged\r\nContent-Length: 2\r\n\r\nok"
    )
    received = await through(start_sidecar, answering(response))
    assert b"X-Hop" not in received
    assert b"Keep-Alive" not in received
    assert b"forged" not in received


@pytest.mark.parametrize("status", [102, 103])
async def test_interim_response_is_relayed(start_sidecar: StartSidecar, status: int) -> None:
    """103 Early Hints and its like arrive before the final response."""
    interim = b"HTTP/1.1 %d Early\r\nLink: </a.css>\r\n\r\n" % status
    received = await through(start_sidecar, answering(interim + OK))
    assert received.startswith(interim + b"HTTP/1.1 200 OK\r\n")


async def test_interim_response_is_kept_from_http_1_0(start_sidecar: StartSidecar) -> None:
    """A client of HTTP/1.0 knows none."""
    interim = b"HTTP/1.1 103 Early\r\n\r\n"
    request = b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"
    received = await through(start_sidecar, answering(interim + OK), request)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_switch_nobody_asked_for_is_502(start_sidecar: StartSidecar) -> None:
    """101 without a handshake is no answer."""
    switch = (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    received = await through(start_sidecar, answering(switch + OK))
    assert received.startswith(b"HTTP/1.1 502 ")
    assert received.count(b"HTTP/1.1") == 1


async def test_advertised_upgrade_does_not_hide_the_body(start_sidecar: StartSidecar) -> None:
    """200 with `Upgrade: h2c`, as Apache sends it, keeps its body."""
    head = b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok"
    received = await through(start_sidecar, answering(head))
    assert body_of(received) == b"ok"
    assert b"Upgrade" not in received


@pytest.mark.parametrize("status", [204, 304])
async def test_status_without_body_has_none(start_sidecar: StartSidecar, status: int) -> None:
    """What a backend sends after 204 or 304 is not a body, and goes nowhere."""
    response = b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nhello" % status
    received = await through(start_sidecar, answering(response))
    assert received.startswith(b"HTTP/1.1 %d X\r\n" % status)
    assert body_of(received) == b""
    assert (b"Content-Length: 5" in received) is (status == 304)


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"], ids=repr
)
async def test_head_keeps_the_framing_fields(
    sidecar: Sidecar, backend: RecordingBackend, framing: bytes
) -> None:
    """HEAD tells what GET would be framed like, and the connections live on."""
    backend.reply = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n"
    head = KEPT.replace(b"GET", b"HEAD")
    for _ in range(3):
        talk = await converse(sidecar.address, [head], count=1, is_head=True)
        assert framing.strip() in talk.received
        assert body_of(talk.received) == b""


async def test_body_until_close_is_whole(start_sidecar: StartSidecar) -> None:
    """A backend of HTTP/1.0 ends its body by closing: the client gets it in chunks, ended."""
    received = await through(start_sidecar, answering(b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\nhello"))
    assert b"Transfer-Encoding: chunked" in received
    assert body_of(received).endswith(b"0\r\n\r\n")


async def test_body_until_close_reaches_http_1_0_until_close(start_sidecar: StartSidecar) -> None:
    """HTTP/1.0 on both sides: the bytes, then close."""
    script = answering(b"HTTP/1.0 200 OK\r\n\r\nhello")
    received = await through(start_sidecar, script, b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    assert body_of(received) == b"hello"


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
    ],
    ids=["length", "chunks", "bad chunk"],
)
async def test_truncation_is_visible(start_sidecar: StartSidecar, response: bytes) -> None:
    """A body that breaks off never looks complete: neither its length nor its end is there."""
    received = await through(start_sidecar, answering(response))
    body = body_of(received)
    assert not body.endswith(b"0\r\n\r\n")
    assert len(body) < 10 or b"chunked" in received


async def test_head_of_60_kib_passes_and_one_of_200_is_502(start_sidecar: StartSidecar) -> None:
    """Fields up to 64 KiB in all."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + b"X-A: %b\r\n" % (b"a" * 990) * 60
    received = await through(start_sidecar, answering(head + b"\r\nok"))
    assert received.startswith(b"HTTP/1.1 200 OK")
    head += b"X-A: %b\r\n" % (b"a" * 990) * 140
    received = await through(start_sidecar, answering(head + b"\r\nok"))
    assert received.startswith(b"HTTP/1.1 502 ")


async def test_unasked_bytes_poison_a_connection(start_sidecar: StartSidecar) -> None:
    """What comes after a whole response answers nobody: the connection is dropped."""
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    async with scripted(answering(OK + forged, closes=False)) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        for _ in range(3):
            answer = await ask(sidecar.address, KEPT)
            assert answer.body == b"ok"
        assert backend.connections == 3


async def test_events_arrive_as_they_are_sent(start_sidecar: StartSidecar) -> None:
    """Each of ten server-sent events has reached the client before the next one is written."""
    arrived = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for index in range(10):
            arrived.clear()
            writer.write(b"data: %d\n\n" % index)
            await arrived.wait()

    async with scripted(script) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        reader, writer = await dial(sidecar.address)
        writer.write(KEPT)
        for index in range(10):
            await asyncio.wait_for(reader.readuntil(b"data: %d\n\n" % index), 5)
            arrived.set()
        writer.close()


async def test_client_that_leaves_closes_its_backend_connection(
    start_sidecar: StartSidecar, caplog: pytest.LogCaptureFixture
) -> None:
    """Within a second, and without a word in the log."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello")
        await reader.read()

    async with scripted(script) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        reader, writer = await dial(sidecar.address)
        writer.write(KEPT)
        await reader.readuntil(b"hello")
        writer.transport.abort()
        await until(lambda: backend.open_connections == 0, timeout_s=1)
    assert caplog.records == []


async def test_backend_on_a_unix_socket_is_asked(
    start_sidecar: StartSidecar, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`unix:/path` is a backend like any other."""
    path = tmp_path_factory.mktemp("s") / "backend.sock"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(OK)(reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    sidecar = await start_sidecar(upstream=f"unix:{path}")
    assert (await ask(sidecar.address, KEPT)).body == b"ok"
    server.close()
