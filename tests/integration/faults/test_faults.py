"""A backend that fails in every way: the client gets 502, 503, 504 or a connection that breaks off.

Never a response that looks whole and is not, never another's, and nothing is done twice.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.support.raw_client import parse_answers
from tests.support.scripted_backend import scripted

Fault = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HANDSHAKE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
CLOSE = b"Connection: close\r\n"
KINDS = {
    "get": b"GET /do HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n",
    "post": b"POST /do HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"Content-Length: 5\r\n\r\nhello",
    "upload": b"POST /do HTTP/1.1\r\nHost: a\r\n"
    + CLOSE
    + b"Content-Length: 300000\r\n\r\n"
    + bytes(300_000),
    "stream": b"POST /do HTTP/1.1\r\nHost: a\r\n"
    + CLOSE
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "websocket": b"GET /do HTTP/1.1\r\nHost: a\r\n" + HANDSHAKE + b"\r\n",
}


def say(data: bytes, ending: str = "close") -> Fault:
    """Answer with these bytes, then close, reset or do nothing more."""

    async def fault(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if ending == "reset":
            writer.transport.abort()
        elif ending == "hang":
            await reader.read(-1)
            await asyncio.Event().wait()

    return fault


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte of a head at a time, for longer than anyone waits."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
        writer.write(bytes((byte,)))
        await asyncio.sleep(0.02)


async def hint_for_ever(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Interim responses without end."""
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </%b>\r\n\r\n" % (b"a" * 1000))
        await writer.drain()


HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = HEAD + b"Content-Length: 10\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
FAULTS: dict[str, Fault] = {
    "close": say(b""),
    "reset": say(b"", "reset"),
    "no answer": say(b"", "hang"),
    "half a status line": say(b"HTTP/1.1 2"),
    "half a status line, then nothing": say(b"HTTP/1.1 2", "hang"),
    "half a status line, then reset": say(b"HTTP/1.1 2", "reset"),
    "half a head": say(HEAD + b"X-A: 1\r\n"),
    "half a head, then nothing": say(HEAD + b"X-A: 1\r\n", "hang"),
    "half a head, then reset": say(HEAD + b"X-A: 1\r\n", "reset"),
    "dripping head": drip,
    "head of 200 KiB": say(HEAD + b"X-A: %b\r\n" % (b"a" * 1000) * 200 + b"\r\n"),
    "endless interim responses": hint_for_ever,
    "interim response, then close": say(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "garbage": say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP"),
    "HTTP/0.9": say(b"<html>hello</html>"),
    "a request": say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "version 3.7": say(b"HTTP/3.7 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    "status of two digits": say(b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"),
    "status 099": say(b"HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\nok"),
    "field without colon": say(HEAD + b"Nonsense\r\nContent-Length: 2\r\n\r\nok"),
    "NUL in a field": say(HEAD + b"X-A: a\0b\r\nContent-Length: 2\r\n\r\nok"),
    "two lengths": say(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!"),
    "length and chunks": say(LENGTH + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    "negative length": say(HEAD + b"Content-Length: -2\r\n\r\nok"),
    "length in hexadecimal": say(HEAD + b"Content-Length: 0x2\r\n\r\nok"),
    "unknown coding": say(HEAD + b"Transfer-Encoding: gzip\r\n\r\nok"),
    "coding before chunks": say(
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    ),
    "unasked switch": say(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "version 2.0": say(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    "another protocol": say(b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    "switch to another protocol": say(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    ),
    "short body": say(LENGTH + b"\r\nhello"),
    "short body, then reset": say(LENGTH + b"\r\nhello", "reset"),
    "short body, then nothing": say(LENGTH + b"\r\nhello", "hang"),
    "no last chunk": say(CHUNKED + b"\r\n5\r\nhello\r\n"),
    "no last chunk, then reset": say(CHUNKED + b"\r\n5\r\nhello\r\n", "reset"),
    "no last chunk, then nothing": say(CHUNKED + b"\r\n5\r\nhello\r\n", "hang"),
    "half a chunk": say(CHUNKED + b"\r\n5\r\nhel"),
    "bad chunk size": say(CHUNKED + b"\r\n5\r\nhello\r\nxyz\r\n"),
    "long body cut off": say(HEAD + b"Content-Length: 900000\r\n\r\n" + bytes(500_000)),
}


class Backend:
    """Serves `/ok` well and fails at `/do`. A class because it counts what it was asked to do."""

    def __init__(self) -> None:
        self.fault: Fault = say(b"")
        self.reads_body = True
        self.url = ""
        self.done: Counter[str] = Counter()

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if b" /ok " in head:
                writer.write(OK)
                continue
            self.done[head.split(b" ")[0].decode()] += 1
            if self.reads_body:
                await self._read_body(head, reader)
            await self.fault(reader, writer)
            return

    async def _read_body(self, head: bytes, reader: asyncio.StreamReader) -> None:
        fields = head.lower()
        if b"content-length: " in fields:
            await reader.readexactly(int(fields.partition(b"content-length: ")[2].split()[0]))
        elif b"transfer-encoding" in fields:
            await reader.readuntil(b"0\r\n\r\n")


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    """Run a failing backend."""
    backend = Backend()
    async with scripted(backend.play) as server:
        backend.url = server.url
        yield backend


@pytest.fixture
async def impatient(start_sidecar: StartSidecar, backend: Backend, tmp_path: Path) -> Sidecar:
    """Start a sidecar that waits for nothing long."""
    path = tmp_path / "sidecar.toml"
    path.write_text("[timeouts]\nhead_s = 0.3\nidle_body_s = 0.3\n")
    return await start_sidecar(config=str(path), upstream=backend.url)


async def send(sidecar: Sidecar, request: bytes) -> bytes:
    """Send a request and return all that comes, until one whole answer or the end."""
    reader, writer = await asyncio.open_connection(sidecar.address.host, sidecar.address.port)
    writer.write(request)
    received = b""
    try:
        async with asyncio.timeout(10):
            while not parse_answers(received)[0] and (data := await reader.read(1 << 16)):
                received += data
    except ConnectionError:
        pass
    writer.close()
    return received


@pytest.mark.parametrize("connection", ["fresh", "pooled"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAULTS)
async def test_failing_backend_is_never_taken_for_a_good_one(
    impatient: Sidecar, backend: Backend, name: str, kind: str, connection: str
) -> None:
    """502, 504 or a visible break, over a fresh connection or a pooled one; nothing done twice."""
    await judge(impatient, backend, name, kind, is_primed=connection == "pooled")


@pytest.mark.parametrize("name", FAULTS)
async def test_backend_that_fails_before_it_has_read_the_body(
    impatient: Sidecar, backend: Backend, name: str
) -> None:
    """The same in the middle of an upload."""
    backend.reads_body = False
    await judge(impatient, backend, name, "upload", is_primed=False)


async def judge(
    sidecar: Sidecar, backend: Backend, name: str, kind: str, *, is_primed: bool
) -> None:
    """Let the backend fail once and look at what the client got."""
    if is_primed:
        await send(sidecar, b"GET /ok HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n")
    backend.fault = FAULTS[name]
    received = await send(sidecar, KINDS[kind])
    answers, _ = parse_answers(received)
    assert [answer.status for answer in answers] in ([], [502], [504])
    for answer in answers:
        assert json.loads(answer.body)["reason"].startswith("upstream_")
    if not answers and received:
        assert not received.endswith(b"0\r\n\r\n")
    assert backend.done["POST"] <= 1
    assert backend.done["GET"] <= 2
