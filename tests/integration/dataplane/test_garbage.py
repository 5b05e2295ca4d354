"""Nothing that a request leaves behind waits for the garbage collector.

An exception and a frame that hold each other are a cycle of forty objects; one in each refused
token took a fifth of its time, at the will of whoever sends them.
"""

import asyncio
import gc
import time
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.integration.dataplane.conftest import until
from tests.support import mint
from tests.support.raw_client import converse
from tests.support.scripted_backend import scripted

RULES = """
[timeouts]
head_s = 0.2
[limits]
body_bytes = 100
[[routes]]
path = "/admin"
mode = "require"
groups = ["admin"]
[[routes]]
path = "/strip"
mode = "strip"
[[routes]]
path = "/*"
mode = "require"
"""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"


async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer by what is asked for."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/cut" in head:
            return
        if b"/silent" in head:
            await reader.read()
        writer.write(BROKEN if b"/broken" in head else OK)


@pytest.fixture
async def house(
    start_sidecar: StartSidecar, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sidecar]:
    """Start a sidecar that can refuse for every kind of reason."""
    file = tmp_path_factory.mktemp("settings") / "sidecar.toml"
    file.write_text(RULES)
    async with scripted(play) as backend:
        yield await start_sidecar(upstream=backend.url, config=str(file))


@contextmanager
def garbage() -> Iterator[list[object]]:
    """Collect what would have waited for the collector."""
    found: list[object] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found.extend(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def is_ours(thing: object) -> bool:
    """Tell an object of the sidecar's from those of tests and libraries."""
    if isinstance(thing, types.FrameType):
        return "/sidecar/" in thing.f_code.co_filename
    return type(thing).__module__.startswith("sidecar.")


def good() -> bytes:
    """Make a token that has not been seen."""
    return mint.mint(now=time.time())  # noqa: TID251 - the sidecar reads the real clock


def request(
    path: str, token: bytes = b"", fields: str = "", *, method: str = "GET", body: bytes = b""
) -> bytes:
    """Write a request."""
    bearer = b"Authorization: Bearer " + token + b"\r\n" if token else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}".encode()
    return head + bearer + b"\r\n" + body


def forge(token: bytes) -> bytes:
    """Break a signature."""
    return token[:-8] + b"AAAAAAAA"


CHUNKED = "Transfer-Encoding: chunked\r\n"
TEN, TOO_MANY = "Content-Length: 10\r\n", "Content-Length: 101\r\n"

# Requests that aiohttp's parser refuses are missing: aiohttp keeps the error together with the
# connection that it ends, and both wait for the collector.
CASES: dict[str, tuple[Callable[[], bytes], int]] = {
    "good": (lambda: request("/", good()), 200),
    "token missing": (lambda: request("/"), 401),
    "token malformed": (lambda: request("/", b"x"), 401),
    "token expired": (lambda: request("/", mint.mint(now=1)), 401),
    "signature wrong": (lambda: request("/", forge(good())), 401),
    "signature wrong again": (lambda: request("/", forge(mint.mint(now=1e9))), 401),
    "key unknown": (lambda: request("/", mint.mint(header={"alg": "RS256", "kid": "x"})), 401),
    "two tokens": (lambda: request("/", good(), "Authorization: Bearer x\r\n"), 400),
    "stripped": (lambda: request("/strip", b"x"), 200),
    "group missing": (lambda: request("/admin", good()), 403),
    "target ambiguous": (lambda: request("//a", good()), 400),
    "backend leaves": (lambda: request("/cut", good()), 502),
    "backend broken": (lambda: request("/broken", good()), 502),
    "backend silent": (lambda: request("/silent", good()), 504),
    "body": (lambda: request("/", good(), TEN, method="POST", body=b"x" * 10), 200),
    "body too large": (lambda: request("/", good(), TOO_MANY, method="POST", body=b"x" * 101), 413),
    "body in chunks": (
        lambda: request("/", good(), CHUNKED, method="POST", body=b"1\r\nx\r\n0\r\n\r\n"),
        200,
    ),
}


@pytest.mark.parametrize("name", list(CASES))
async def test_request_leaves_no_garbage(house: Sidecar, name: str) -> None:
    """However it ends."""
    make, status = CASES[name]
    await converse(house.address, [make()], count=1)
    requests = [make() for _ in range(3)]
    with garbage() as found:
        for each in requests:
            conversation = await converse(house.address, [each], count=1)
            assert [answer.status for answer in conversation.answers] == [status]
        await until(lambda: not house.read().connections)
    assert not [thing for thing in found if is_ours(thing)]
