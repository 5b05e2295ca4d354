"""Workers that die, do not start, or do not end. Real processes stand in for them."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sidecar.errors import WorkerFailed
from sidecar.workers.child import Child, Order
from sidecar.workers.link import Link
from sidecar.workers.place import Place
from tests.integration.workers.conftest import eventually


async def sleeper() -> Child:
    """Start a process that follows no order."""
    one, other = socket.socketpair()
    with other:
        process = await asyncio.create_subprocess_exec("sleep", "60", stdin=other.fileno())
    return Child(process, Link(*await asyncio.open_unix_connection(sock=one)))


@asynccontextmanager
async def kept(
    hire: Callable[[], "asyncio.Future[Child]"],
) -> AsyncIterator[tuple[Place, list[int]]]:
    """Keep a place filled; yields it with the pids of those that died there."""
    buried: list[int] = []
    place = Place(1, hire, lambda child: buried.append(child.pid))
    await place.fill()
    place.keep()
    try:
        yield place, buried
    finally:
        await place.close(0.05, asyncio.Event())


async def test_place_is_filled_again_however_many_attempts_it_takes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A worker that cannot start now may be able to later, and the log says what kept it."""
    attempts = 0

    async def hire() -> Child:
        nonlocal attempts
        attempts += 1
        if attempts in (2, 3):
            raise WorkerFailed("no memory")
        return await sleeper()

    with caplog.at_level(logging.INFO):
        async with kept(lambda: asyncio.ensure_future(hire())) as (place, buried):
            first = place.child
            assert first is not None
            os.kill(first.pid, signal.SIGKILL)

            async def is_filled() -> bool:
                return place.child not in (None, first)

            await eventually(is_filled)
            assert (attempts, buried) == (4, [first.pid])
    said = caplog.text
    assert f"worker 1 (pid {first.pid}) has ended: killed by SIGKILL" in said
    assert "worker 1 cannot start: no memory; next attempt in 0.2 s" in said
    assert "next attempt in 0.4 s" in said
    assert "does not end; it is killed" in said  # `sleep` was told to stop, and did not


async def test_nobody_is_hired_for_a_place_that_closes() -> None:
    """Who dies while all drain is not missed any more."""
    async with kept(lambda: asyncio.ensure_future(sleeper())) as (place, buried):
        child = place.child
        assert child is not None
        place.is_closing = True
        await child.kill()

        async def is_buried() -> bool:
            return buried == [child.pid]

        await eventually(is_buried)
        await asyncio.sleep(0.15)
        assert place.child is None


async def test_worker_that_ends_before_it_serves_has_failed() -> None:
    """Whoever started it hears how it ended, and does not wait for an answer."""
    others = _children()
    starting = asyncio.ensure_future(Child.start(Order({}, {}, None)))

    async def is_killed() -> bool:
        ours = _children() - others
        for pid in ours:
            os.kill(pid, signal.SIGKILL)
        return bool(ours)

    await eventually(is_killed)
    with pytest.raises(WorkerFailed, match="ended before it served: killed by SIGKILL"):
        await starting


async def test_worker_that_cannot_read_its_order_has_failed() -> None:
    """A supervisor of another version, say; its process is not left behind."""
    others = _children()
    with pytest.raises(WorkerFailed, match="ValidationError"):
        await Child.start(Order({"nonsense": 1}, {}, None))
    assert _children() <= others


def _children() -> set[int]:
    """Return the processes that this one has started; other tests may have some too."""
    threads = Path("/proc/self/task").iterdir()
    return {int(pid) for thread in threads for pid in (thread / "children").read_text().split()}
