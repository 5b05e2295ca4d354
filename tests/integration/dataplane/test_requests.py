"""Requests as the backend gets them."""

import asyncio
import socket
import struct

import pytest

from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.integration.dataplane.conftest import StartWith, dial, read_all, until
from tests.support.raw_client import ask, converse
from tests.support.recording_backend import OK, Exchange, RecordingBackend
from tests.support.scripted_backend import scripted

POST = b"POST /up HTTP/1.1\r\nHost: a\r\n"


async def test_length_stays_a_length(sidecar: Sidecar, backend: RecordingBackend) -> None:
    """A body with a length arrives with that length."""
    await ask(sidecar.address, POST + b"Content-Length: 5\r\n\r\nhello")
    assert backend.last.values("content-length") == ["5"]
    assert backend.last.values("transfer-encoding") == []
    assert backend.last.body == b"hello"


async def test_chunks_stay_chunks(sidecar: Sidecar, backend: RecordingBackend) -> None:
    """A body in chunks arrives in chunks, its extensions and trailers gone."""
    body = b"5;a=b\r\nhello\r\n0\r\nX-Late: 1\r\n\r\n"
    await ask(sidecar.address, POST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert backend.last.values("transfer-encoding") == ["chunked"]
    assert backend.last.body == b"hello"
    assert b"a=b" not in backend.raw[0]
    assert b"X-Late" not in backend.raw[0]


async def test_chunked_body_arrives_as_it_is_sent(
    sidecar: Sidecar, backend: RecordingBackend
) -> None:
    """The first chunk is at the backend before the second is sent."""
    reader, writer = await dial(sidecar.address)
    writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await until(lambda: bool(backend.requests) and backend.last.body == b"hello")
    writer.write(b"0\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_small_body_that_drips_opens_no_backend_connection(
    sidecar: Sidecar, backend: RecordingBackend
) -> None:
    """A body of a few bytes that does not come holds no worker of the backend."""
    reader, writer = await dial(sidecar.address)
    writer.write(POST + b"Content-Length: 5\r\n\r\nhel")
    await ask(sidecar.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [request.target for request in backend.requests] == ["/"]
    writer.write(b"lo")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert backend.last.body == b"hello"
    writer.close()


async def test_body_above_the_limit_is_refused(
    start_with: StartWith, backend: RecordingBackend
) -> None:
    """An announced length above the limit: 413, and the backend sees nothing."""
    sidecar = await start_with("[limits]\nbody_bytes = 10\n")
    answer = await ask(sidecar.address, POST + b"Content-Length: 11\r\n\r\nhello world")
    assert (answer.status, b"too_large" in answer.body) == (413, True)
    assert backend.requests == []


async def test_chunks_above_the_limit_are_refused(
    start_with: StartWith, backend: RecordingBackend
) -> None:
    """A body that grows past the limit while it is sent: 413; the backend never sees its end."""
    sidecar = await start_with("[limits]\nbody_bytes = 10\n")
    pieces = [POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"6\r\n world\r\n"]
    talk = await converse(sidecar.address, pieces)
    assert [answer.status for answer in talk.answers] == [413]
    assert not any(request.is_complete for request in backend.requests)


async def test_unwanted_upload_gets_its_early_answer(start_sidecar: StartSidecar) -> None:
    """A backend that answers before it has read the body: its answer arrives, then close."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        await reader.read()

    async with scripted(refuse) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        reader, writer = await dial(sidecar.address)
        writer.write(POST + b"Content-Length: 10000000\r\n\r\n" + bytes(100_000))
        received = await read_all(reader)
        writer.close()
    assert received.startswith(b"HTTP/1.1 403 ")
    assert received.endswith(b"no")
    assert b"Connection: close" in received


async def test_client_that_leaves_a_held_up_upload_is_noticed(start_sidecar: StartSidecar) -> None:
    """Though nothing is read from it, for the backend takes nothing: within a second."""

    async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.Event().wait()

    async with scripted(script) as backend:
        sidecar = await start_sidecar(upstream=backend.url)
        _, writer = await dial(sidecar.address)
        writer.write(POST + b"Content-Length: 100000000\r\n\r\n" + bytes(50_000_000))
        await until(lambda: backend.open_connections == 1)
        await until(lambda: writer.transport.get_write_buffer_size() > 0)
        await asyncio.sleep(0.5)  # until every buffer on the way is full
        server = sidecar._server  # noqa: SLF001 - the backend reads nothing, and so sees nothing
        assert server.open_count == 1
        # By a reset: an orderly end would stand in the queue behind what was sent before.
        wire = writer.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await until(lambda: server.open_count == 0, timeout_s=1)


async def test_pipelined_requests_are_answered_in_order(
    sidecar: Sidecar, backend: RecordingBackend
) -> None:
    """Three requests in one segment are three requests."""
    raw = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % index for index in range(3))
    talk = await converse(sidecar.address, [raw], count=3)
    assert [answer.status for answer in talk.answers] == [200] * 3
    assert [request.target for request in backend.requests] == ["/0", "/1", "/2"]


async def test_options_asterisk_is_carried(sidecar: Sidecar, backend: RecordingBackend) -> None:
    """`OPTIONS *` asks about the server as a whole."""
    answer = await ask(sidecar.address, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.status == 200
    assert backend.last.target == "*"


async def test_request_over_a_stale_connection_is_sent_again(
    sidecar: Sidecar, backend: RecordingBackend
) -> None:
    """A pooled connection that dies before a byte of the answer: GET goes over a new one."""
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    await ask(sidecar.address, get)

    async def die(_: Exchange, _r: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend.reply = OK
        writer.transport.abort()

    backend.reply = die
    answer = await ask(sidecar.address, get)
    assert (answer.status, len(backend.requests), backend.connections) == (200, 3, 2)


async def test_post_over_a_stale_connection_is_not_sent_again(
    sidecar: Sidecar, backend: RecordingBackend
) -> None:
    """What may have had an effect is never repeated: 502."""
    await ask(sidecar.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    async def die(_: Exchange, _r: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    backend.reply = die
    answer = await ask(sidecar.address, POST + b"Content-Length: 0\r\n\r\n")
    assert (answer.status, b"upstream_broken" in answer.body) == (502, True)
    assert len(backend.requests) == 2


@pytest.mark.parametrize("method", [b"DELETE", b"PUT", b"PATCH"])
async def test_unsafe_method_without_body_is_not_sent_again(
    sidecar: Sidecar, backend: RecordingBackend, method: bytes
) -> None:
    """Nor without a body."""
    await ask(sidecar.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    async def die(_: Exchange, _r: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    backend.reply = die
    answer = await ask(sidecar.address, method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (answer.status, len(backend.requests)) == (502, 2)
