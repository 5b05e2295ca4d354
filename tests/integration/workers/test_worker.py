"""A worker and its supervisor over a link, both in this process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sidecar.config import ModeName, load
from sidecar.errors import ListenFailed, SettingsInvalid, WorkerFailed
from sidecar.model import Address
from sidecar.workers.link import Link, LinkClosed
from sidecar.workers.worker import Worker
from tests.integration.workers.conftest import GET, eventually
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.ports import free_port
from tests.support.raw_client import ask
from tests.support.recording_backend import RecordingBackend

Order = Callable[..., dict[str, Any]]


@asynccontextmanager
async def linked(answer: Callable[[str, Any], Awaitable[object]]) -> AsyncIterator[Link]:
    """Link somebody who answers with somebody who asks; yields the end that asks."""
    one, other = socket.socketpair()
    asking = Link(*await asyncio.open_unix_connection(sock=one))
    answering = Link(*await asyncio.open_unix_connection(sock=other), answer)
    running = [asyncio.ensure_future(link.run()) for link in (asking, answering)]
    yield asking
    asking.close()
    answering.close()
    await asyncio.gather(*running)


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    """Make a worker, and drain it at the end."""
    worker = Worker()
    yield worker
    await worker.drain()


@pytest.fixture
async def link(worker: Worker) -> AsyncIterator[Link]:
    """Be the worker's supervisor."""
    async with linked(worker.answer) as link:
        yield link


@pytest.fixture
def order(key_server: KeyServer, backend: RecordingBackend) -> Order:
    """Write what a worker starts by, with settings by name."""

    def order(port: int, **settings: Any) -> dict[str, Any]:
        given = {
            "user_pool_id": mint.POOL_ID,
            "user_pool_client_id": mint.CLIENT_ID,
            "jwks_url": key_server.url,
            "upstream": backend.url,
            "listen": f"127.0.0.1:{port}",
        }
        changed = load(given, {}).model_copy(update=settings)
        written = changed.model_dump(mode="json", exclude_defaults=True)
        return {"settings": written, "sockets": {}, "output_lock": None}

    return order


async def test_worker_follows_orders_from_start_to_stop(
    worker: Worker, link: Link, order: Order
) -> None:
    """It serves, tells what it counted, changes its settings in two steps, and is told to stop."""
    port = free_port()
    address = Address("127.0.0.1", port)
    await link.ask("start", order(port), timeout_s=5)
    assert (await ask(address, GET)).status == 200

    async def is_counted() -> bool:
        told = await link.ask("snapshot", timeout_s=5)
        return [["requests", "GET", "200", "default"], 1] in told["counts"]

    await eventually(is_counted)
    stricter = order(port, mode=ModeName.REQUIRE)["settings"]
    await link.ask("prepare", stricter, timeout_s=5)
    assert (await ask(address, GET)).status == 200
    await link.ask("discard", timeout_s=5)
    await link.ask("prepare", stricter, timeout_s=5)
    await link.ask("adopt", timeout_s=5)
    assert (await ask(address, GET)).status == 401
    explained = await link.ask("explain", {"path": "/a"}, timeout_s=5)
    assert explained["request"]["answer"] == "401 token_missing"
    link.tell("retire")
    assert (await link.ask("snapshot", timeout_s=5))["missing"] == ["draining"]
    link.tell("abort")
    link.tell("stop")
    await asyncio.wait_for(worker.stopped.wait(), 5)


async def test_worker_that_is_told_to_end_itself_keeps_the_time_of_grace(
    worker: Worker, link: Link, order: Order
) -> None:
    """Clients are told to go elsewhere before it closes."""
    port = free_port()
    await link.ask("start", order(port), timeout_s=5)
    worker.recycle()
    answer = await ask(Address("127.0.0.1", port), GET)
    assert (answer.status, answer.is_closing) == (200, True)
    assert not worker.stopped.is_set()


async def test_worker_that_has_not_started_ends_at_once(worker: Worker) -> None:
    """There is nothing to wait for."""
    worker.recycle()
    assert worker.stopped.is_set()


async def test_what_keeps_a_worker_from_starting_is_the_supervisors_error(
    link: Link, order: Order
) -> None:
    """The same errors as in one process, for the same message and exit status."""
    other = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with other:
        with pytest.raises(ListenFailed, match="the port is taken by another process"):
            await link.ask("start", order(other.sockets[0].getsockname()[1]), timeout_s=5)


async def test_errors_travel_over_the_link(caplog: pytest.LogCaptureFixture) -> None:
    """Those that mean something as they are; any other by its name, with its traceback logged."""
    errors = {"settings": SettingsInvalid(["one", "two"]), "other": KeyError("x")}

    async def answer(what: str, _: object) -> object:
        raise errors[what]

    async with linked(answer) as link:
        with pytest.raises(SettingsInvalid) as caught:
            await link.ask("settings", timeout_s=5)
        assert caught.value.problems == ["one", "two"]
        with pytest.raises(WorkerFailed, match="KeyError"):
            await link.ask("other", timeout_s=5)
    assert "cannot do what it is asked" in caplog.text


async def test_order_before_the_start_is_an_error(link: Link) -> None:
    """A worker without settings has nothing to tell."""
    with pytest.raises(WorkerFailed):
        await link.ask("snapshot", timeout_s=5)


async def test_answers_find_their_questions_in_any_order() -> None:
    """A slow answer holds no other up, and one that comes too late is thrown away."""
    may_go = asyncio.Event()

    async def answer(what: str, content: object) -> object:
        if what == "slow":
            await may_go.wait()
        return content

    async with linked(answer) as link:
        slow = asyncio.ensure_future(link.ask("slow", 1, timeout_s=5))
        with pytest.raises(TimeoutError):
            await link.ask("slow", 2, timeout_s=0.01)
        assert await link.ask("fast", "x" * 1_000_000, timeout_s=5) == "x" * 1_000_000
        may_go.set()
        assert await slow == 1


async def test_end_of_the_link_is_the_answer_to_whoever_waits() -> None:
    """Nobody waits for a process that is no more."""
    one, other = socket.socketpair()
    link = Link(*await asyncio.open_unix_connection(sock=one))
    running = asyncio.ensure_future(link.run())
    waiting = asyncio.ensure_future(link.ask("anything", timeout_s=5))
    await asyncio.sleep(0)
    other.close()
    await running
    with pytest.raises(LinkClosed):
        await waiting
    with pytest.raises(LinkClosed):
        await link.ask("anything", timeout_s=5)
    link.close()
