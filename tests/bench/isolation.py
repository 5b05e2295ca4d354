"""Many users at once over shared connections: does each response belong to its request?

`python -m tests.bench.isolation --requests 1000000`. Every request is sent for a user chosen anew,
as a load balancer would mix them; cancels, resets and anonymous requests are mixed in.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.model import Address
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.sidecar_process import sidecar_process

CONNECTIONS = 100
NOBODY = "-"

_LEAVES_S = 0.002  # the longest that a client waits before it leaves
_EMPTY = b"HTTP/1.1 302 Found\r\nLocation: /%b\r\nContent-Length: 0\r\n\r\n"


class EchoBackend(asyncio.Protocol):
    """Answers each request with the caller it was told of, and with its target and body."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = int(_value(head, b"Content-Length") or 0)
            if len(self._received) < end + 4 + length:
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            self._answer(head, body)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _answer(self, head: bytes, body: bytes) -> None:
        assert self._transport is not None
        target = head.split(b" ", 2)[1]
        sub = _value(head, b"X-Cognito-Sub") or NOBODY.encode()
        content = b"%b %b %b" % (sub, target, body)
        if b"cancel" in target:
            # About when the client leaves, and without a body: all of it fits into a head that
            # nobody may be there to take.
            loop = asyncio.get_running_loop()
            loop.call_later(_LEAVES_S / 2, self._write, _EMPTY % sub)
            return
        if b"reset" in target:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + content)
            self._transport.abort()
            return
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
        self._transport.write(content)


def _value(head: bytes, name: bytes) -> bytes:
    return head.partition(b"\r\n" + name + b": ")[2].partition(b"\r\n")[0]


@dataclass
class Tally:
    """What came of all requests."""

    left: int
    users: list[tuple[str, bytes]]
    outcomes: Counter[str] = field(default_factory=Counter)
    mixed_up: list[bytes] = field(default_factory=list)


async def _work(address: Address, tally: Tally, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a repeatable mix, nothing secret
    while tally.left > 0:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while tally.left > 0 and await _ask(reader, writer, tally, dice):
                pass
        writer.transport.abort()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tally: Tally, dice: random.Random
) -> bool:
    """Send one request; tell whether the connection can carry another."""
    tally.left -= 1
    sub, token = dice.choice(tally.users)
    kind = dice.choices(
        ("get", "post", "anonymous", "pair", "reset", "cancel"), (60, 20, 10, 6, 2, 2)
    )[0]
    nonce = b"/%b/%x" % (kind.encode(), dice.getrandbits(64))
    bearer = b"" if kind == "anonymous" else b"Authorization: Bearer " + token + b"\r\n"
    expected = (NOBODY if kind == "anonymous" else sub).encode() + b" " + nonce + b" "
    request = b" " + nonce + b" HTTP/1.1\r\nHost: a\r\n" + bearer
    if kind == "post":
        request = b"POST" + request + b"Content-Length: %d\r\n\r\n" % len(sub) + sub.encode()
        expected += sub.encode()
    else:
        request = b"GET" + request + b"\r\n"
    if kind == "pair":  # a second request of nobody right behind, in the same segment
        request += b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
    writer.write(request)
    if kind == "cancel":
        await asyncio.sleep(dice.random() * _LEAVES_S)
        tally.outcomes[kind] += 1
        return False
    tally.outcomes[kind] += 1
    await _check(reader, expected, tally)
    if kind == "pair":
        await _check(reader, NOBODY.encode() + b" /second ", tally)
    return True


async def _check(reader: asyncio.StreamReader, expected: bytes, tally: Tally) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    content = await reader.readexactly(int(_value(head, b"Content-Length") or 0))
    tally.outcomes["status " + head[9:12].decode()] += 1
    if content != expected:
        tally.mixed_up.append(content)


async def measure(requests: int, users: int, folder: Path) -> Tally:
    """Send requests for many users through a sidecar of its own process, and compare."""
    keys = await KeyServer().start()
    loop = asyncio.get_running_loop()
    backend = await loop.create_server(EchoBackend, "127.0.0.1", 0)
    host, port = backend.sockets[0].getsockname()[:2]
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    subs = [str(uuid.UUID(int=random.getrandbits(128))) for _ in range(users)]
    tally = Tally(requests, [(sub, mint.mint(now=now, sub=sub, username=sub)) for sub in subs])
    async with sidecar_process(
        folder, upstream=f"http://{host}:{port}", jwks_url=keys.url
    ) as sidecar:
        workers = [_work(sidecar.address, tally, seed) for seed in range(CONNECTIONS)]
        await asyncio.gather(*workers)
    backend.close()
    await keys.stop()
    return tally


def main() -> int:
    """Print what came of it; 1 if anything was mixed up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=500)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(measure(options.requests, options.users, Path(folder)))
    took_s = time.monotonic() - started
    print(
        f"{options.requests} requests of {options.users} users over {CONNECTIONS} connections "
        f"in {took_s:.0f} s: {len(tally.mixed_up)} mixed up; {dict(sorted(tally.outcomes.items()))}"
    )
    return 1 if tally.mixed_up else 0


if __name__ == "__main__":
    sys.exit(main())
