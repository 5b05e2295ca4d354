"""What slow and many clients get, and what good ones get meanwhile."""

import asyncio
import json

import pytest

from tests.conftest import StartSidecar
from tests.integration.dataplane.conftest import StartWith, dial, read_all, until
from tests.support.raw_client import Answer, ask, parse_answers
from tests.support.recording_backend import OK, Exchange, RecordingBackend
from tests.support.scripted_backend import scripted

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


async def only_answer(start_with: StartWith, table: str, sent: bytes) -> list[Answer]:
    """Send bytes, wait for the close, and return what was answered."""
    sidecar = await start_with(table)
    reader, writer = await dial(sidecar.address)
    writer.write(sent)
    async with asyncio.timeout(5):
        received = await read_all(reader)
    writer.close()
    return parse_answers(received)[0]


async def test_head_that_drips_gets_408(start_with: StartWith, backend: RecordingBackend) -> None:
    """Bytes that keep coming do not stop the clock."""
    sidecar = await start_with("[timeouts]\nclient_head_s = 0.5\n")
    reader, writer = await dial(sidecar.address)
    answer = asyncio.ensure_future(read_all(reader))
    while not answer.done():
        writer.write(b"G" if backend.requests else b"GET / HTTP/1.1\r\nX: 1"[:1])
        await asyncio.wait((answer,), timeout=0.1)
        if writer.is_closing():
            break
        writer.write(b"ET / HTTP/1.1\r\n")
        break
    received = await answer
    assert json.loads(parse_answers(received)[0][0].body)["reason"] == "timeout"
    assert parse_answers(received)[0][0].status == 408
    assert backend.requests == []
    writer.close()


async def test_connection_without_a_request_is_closed(start_with: StartWith) -> None:
    """Nobody is told anything: there was no request."""
    assert await only_answer(start_with, "[timeouts]\nclient_head_s = 0.3\n", b"") == []


async def test_idle_connection_is_closed_after_its_time(start_with: StartWith) -> None:
    """One answer, then silence, then close."""
    answers = await only_answer(start_with, "[timeouts]\nclient_keep_alive_s = 0.3\n", GET)
    assert [answer.status for answer in answers] == [200]


@pytest.mark.parametrize(
    "begun",
    [
        POST + b"Content-Length: 5\r\n\r\nhel",
        POST + b"Content-Length: 100000\r\n\r\nhel",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
    ids=["small", "big", "chunked"],
)
async def test_body_that_stops_gets_408(
    start_with: StartWith, backend: RecordingBackend, begun: bytes
) -> None:
    """And its backend connection is closed."""
    answers = await only_answer(start_with, "[timeouts]\nclient_body_idle_s = 0.3\n", begun)
    assert [answer.status for answer in answers] == [408]
    await until(lambda: backend.open_connections == 0)


async def test_body_that_never_ends_gets_408(start_with: StartWith) -> None:
    """Dripping forever is not allowed either."""
    sidecar = await start_with("[timeouts]\nclient_body_total_s = 0.5\n")
    reader, writer = await dial(sidecar.address)
    writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    answer = asyncio.ensure_future(reader.readline())
    while not answer.done():
        writer.write(b"1\r\nx\r\n")
        await asyncio.wait((answer,), timeout=0.05)
    assert answer.result().startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_client_that_reads_nothing_is_dropped(start_with: StartWith) -> None:
    """And its backend connection with it."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(50):
            writer.write(bytes(1_000_000))
            await writer.drain()

    async with scripted(script) as backend:
        sidecar = await start_with("[timeouts]\nclient_write_s = 0.5\n", upstream=backend.url)
        _, writer = await dial(sidecar.address)
        writer.transport.pause_reading()  # type: ignore[attr-defined] # of a socket's transport
        writer.write(GET)
        await until(lambda: backend.open_connections == 1)
        await until(lambda: backend.open_connections == 0)
        writer.transport.abort()


async def test_one_connection_too_many_gets_503(start_with: StartWith) -> None:
    """At once, without having asked; who is there already is served on."""
    sidecar = await start_with("[limits]\nconnections = 2\n")
    served = [await dial(sidecar.address) for _ in range(2)]
    for _, writer in served:
        writer.write(GET)
    for reader, _ in served:
        await reader.readuntil(b"ok")
    reader, writer = await dial(sidecar.address)
    async with asyncio.timeout(1):
        refused = parse_answers(await read_all(reader))[0][0]
    assert (refused.status, refused.fields["retry-after"]) == (503, "1")
    assert json.loads(refused.body)["reason"] == "overloaded"
    writer.close()
    served[0][1].write(GET)
    assert (await served[0][0].readline()).startswith(b"HTTP/1.1 200")
    for _, writer in served:
        writer.close()


@pytest.mark.parametrize("limit", ["requests", "backend_connections"])
async def test_one_request_too_many_gets_503(
    start_with: StartWith, backend: RecordingBackend, limit: str
) -> None:
    """At once, while the one in flight finishes; after it there is room again."""
    go = asyncio.Event()

    async def reply(_: Exchange, _r: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(OK)

    backend.reply = reply
    sidecar = await start_with(f"[limits]\n{limit} = 1\n")
    first = asyncio.ensure_future(ask(sidecar.address, GET))
    await until(lambda: len(backend.requests) == 1)
    refused = await ask(sidecar.address, GET, timeout_s=1)
    assert (refused.status, refused.fields["retry-after"]) == (503, "1")
    go.set()
    assert (await first).status == 200
    assert (await ask(sidecar.address, GET)).status == 200


async def test_backend_that_never_answers_is_504(start_with: StartWith) -> None:
    """After `head_s`, and the connection is closed."""

    async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        await reader.read()

    async with scripted(script) as backend:
        sidecar = await start_with("[timeouts]\nhead_s = 0.3\n", upstream=backend.url)
        answer = await ask(sidecar.address, GET)
        assert (answer.status, json.loads(answer.body)["reason"]) == (504, "upstream_timeout")
        await until(lambda: backend.open_connections == 0)


async def test_backend_that_is_not_there_is_502(start_sidecar: StartSidecar) -> None:
    """And comes back without delay once it is."""
    async with scripted(lambda _r, _w: asyncio.sleep(0)) as backend:
        url = backend.url
    sidecar = await start_sidecar(upstream=url)
    answer = await ask(sidecar.address, GET)
    assert (answer.status, json.loads(answer.body)["reason"]) == (502, "upstream_unreachable")


async def test_pipelining_without_reading_is_held_back(
    start_with: StartWith, backend: RecordingBackend
) -> None:
    """Who does not read its answers gets no further requests handled."""
    backend.reply = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000)
    sidecar = await start_with("[timeouts]\nclient_write_s = 0.5\n")
    _, writer = await dial(sidecar.address)
    writer.transport.pause_reading()  # type: ignore[attr-defined] # of a socket's transport
    writer.write(GET * 2000)
    await until(lambda: backend.open_connections == 1)
    await until(lambda: backend.open_connections == 0)
    assert len(backend.requests) < 200
    writer.transport.abort()
