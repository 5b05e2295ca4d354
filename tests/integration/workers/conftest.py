"""Crews of two workers: in this process, where its state can be looked at, or as a command."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sidecar.config import load
from sidecar.model import Address
from sidecar.workers.crew import Crew
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.raw_client import Answer, ask
from tests.support.recording_backend import OK, Exchange, RecordingBackend

GET = b"GET /a HTTP/1.1\r\nHost: site\r\n\r\n"
REQUESTS = 'sidecar_requests_total{code="200",method="GET",route="default"}'


@dataclass(frozen=True)
class Workplace:
    """A backend and a key server, and crews in between.

    A class because it is a set of servers with one lifetime.
    """

    backend: RecordingBackend
    keys: KeyServer
    running: AsyncExitStack

    async def start(self, *, is_ready: bool = True, **settings: str) -> Crew:
        """Start two workers on a free port, with settings by name; they are ready then."""
        given = {
            "user_pool_id": mint.POOL_ID,
            "user_pool_client_id": mint.CLIENT_ID,
            "jwks_url": self.keys.url,
            "upstream": self.backend.url,
            "listen": "127.0.0.1:0",
            "admin_listen": "127.0.0.1:0",
            **settings,
        }
        crew = await self.running.enter_async_context(Crew(load(given, {}), 2))
        if is_ready:
            await eventually(lambda: is_ready_now(crew.admin_address))
        return crew


@asynccontextmanager
async def open_workplace() -> AsyncIterator[Workplace]:
    """Start what crews need, and end everything that was started."""
    backend, keys = await RecordingBackend().start(), await KeyServer().start()
    async with AsyncExitStack() as running:
        yield Workplace(backend, keys, running)
    await keys.stop()
    await backend.stop()


async def eventually(is_there: Callable[[], Awaitable[bool]], timeout_s: float = 15.0) -> None:
    """Look again and again: other processes send us no event."""
    async with asyncio.timeout(timeout_s):
        while not await is_there():  # noqa: ASYNC110 - as said above
            await asyncio.sleep(0.02)


async def tell(admin: Address, path: str) -> Answer:
    """Ask an admin port."""
    return await ask(admin, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


async def is_ready_now(admin: Address) -> bool:
    """Tell whether all workers are ready."""
    return (await tell(admin, "/readyz")).status == 200


async def status(admin: Address) -> Mapping[str, Any]:
    """Return what the page shows."""
    found: Mapping[str, Any] = json.loads((await tell(admin, "/status.json")).body)
    return found


async def metrics(admin: Address) -> dict[str, float]:
    """Return all samples, by name and labels as they are written."""
    lines = (await tell(admin, "/metrics")).body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


async def pids(admin: Address) -> dict[int, int]:
    """Return the workers' process ids, by place."""
    return {worker["place"]: worker["pid"] for worker in (await status(admin))["workers"]}


async def use_both(address: Address, admin: Address) -> int:
    """Send requests, each on a connection of its own, until both workers had some; count them."""
    before = {w["pid"]: w["requests"] for w in (await status(admin))["workers"]}
    sent = 0
    while True:
        for answer in await asyncio.gather(*(ask(address, GET) for _ in range(8))):
            assert answer.status == 200
            sent += 1
        now = (await status(admin))["workers"]
        if len(now) == 2 and all(w["requests"] > before.get(w["pid"], 0) for w in now):
            return sent


class Held:
    """A backend's reply that waits. A class because requests wait in it to be let go."""

    def __init__(self) -> None:
        self._may_go = asyncio.Event()

    async def reply(
        self, _: Exchange, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer as soon as it is allowed."""
        await self._may_go.wait()
        writer.write(OK)

    def let_go(self) -> None:
        """Answer whoever waits."""
        self._may_go.set()


async def occupy_both(address: Address, admin: Address) -> list[asyncio.Task[Answer]]:
    """Send requests that wait until each worker has one under way."""
    loop = asyncio.get_running_loop()
    asked: list[asyncio.Task[Answer]] = []

    async def is_each_busy() -> bool:
        if len(asked) < 40:
            asked.append(loop.create_task(ask(address, GET, timeout_s=20)))
        workers = (await status(admin))["workers"]
        in_flight = sum(worker["in_flight"] for worker in workers)
        return in_flight == len(asked) and all(worker["in_flight"] for worker in workers)

    await eventually(is_each_busy)
    return asked
