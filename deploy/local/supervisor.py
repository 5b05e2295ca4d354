"""This file starts parts one after the other and ends them together; it knows no part by name.

One part is one task. The task group is the law: the first part to end cancels the others, and a
cancelled part takes its whole process group with it before its task is done.
"""

import asyncio
import os
import signal
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.leash import leashed
from deploy.local.loopback import is_healthy

HEALTH_TIMEOUT_S = 60.0  # for one part; a loaded CI machine, not a laptop, sets this
POLL_S = 0.1
STOP_TIMEOUT_S = 6.0  # from SIGTERM to SIGKILL: everything has to be gone within 10 s
# From SIGKILL to gone: milliseconds, unless nobody collects an orphan, as in some containers.
KILL_TIMEOUT_S = 1.0

ShowLine = Callable[[str, str], None]  # part, line
StartPart = Callable[["Part"], Awaitable[None]]


class PartError(Exception):
    """A part did not become healthy, or ended before it was told to."""


@dataclass(frozen=True, slots=True)
class Part:
    """One program and how to tell that it works.

    Attributes:
        environment: The whole environment of the process; nothing is added.
        health_url: Answers 200 as soon as the part works. Only then does the next part start.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    health_url: str


@asynccontextmanager
async def supervised(show: ShowLine) -> AsyncIterator[StartPart]:
    """Gives `start(part)`, which returns once the part is healthy. Leaving the block ends all.

    Args:
        show: Receives every line the parts print.

    Raises:
        ExceptionGroup: Of `PartError`, as soon as a part ends or does not become healthy, and of
            what the block or `show` raises.
    """
    async with asyncio.TaskGroup() as group:
        tasks = []

        async def start(part: Part) -> None:
            healthy = asyncio.Event()
            tasks.append(group.create_task(_run(part, healthy, show)))
            await healthy.wait()

        yield start
        for task in tasks:
            task.cancel()


def run_until_signal(work: Coroutine[None, None, None]) -> None:
    """Run `work` until it is done or SIGINT, SIGTERM or SIGHUP cancels it. Raises what it raises.

    A SIGHUP that was ignored, as under `nohup`, stays ignored.
    """
    asyncio.run(_cancel_on_signal(work))


async def _cancel_on_signal(work: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    endings = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        endings.append(signal.SIGHUP)

    def cancel_once() -> None:
        for ending in endings:  # an impatient second Ctrl-C must not interrupt the clean-up
            loop.add_signal_handler(ending, lambda: None)
        task.cancel()

    for ending in endings:
        loop.add_signal_handler(ending, cancel_once)
    with suppress(asyncio.CancelledError):
        await task


async def _run(part: Part, healthy: asyncio.Event, show: ShowLine) -> None:
    process, output = await _spawn(part)
    lines = asyncio.create_task(_relay(part, output, show))
    ended = asyncio.create_task(process.wait())
    try:
        await _until_healthy(part, process)
        healthy.set()
        await asyncio.wait({lines, ended}, return_when=asyncio.FIRST_COMPLETED)
        if lines.done():
            lines.result()  # raises if there is nobody left to show lines to
        raise PartError(f"{part.name} ended with status {await ended}")
    finally:
        await _stop(process)
        await asyncio.wait({lines}, timeout=1)  # what it said last
        lines.cancel()


async def _spawn(part: Part) -> tuple[Process, asyncio.StreamReader]:
    # A pipe of our own: of asyncio's, `process.wait()` would wait for the end as well, and workers
    # that outlive their master hold it open.
    ours, theirs = os.pipe()
    output = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(ours, "rb", buffering=0)
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *leashed(list(part.command)),
            env=part.environment,
            cwd=part.directory,
            stdout=theirs,
            stderr=STDOUT,
            start_new_session=True,  # Ctrl-C is for the supervisor, which then ends the group
        )
    finally:
        os.close(theirs)
    return process, output


async def _until_healthy(part: Part, process: Process) -> None:
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            while not await asyncio.to_thread(is_healthy, part.health_url):
                if process.returncode is not None:
                    raise PartError(f"{part.name} ended with status {process.returncode} at start")
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise PartError(
            f"{part.name} is not healthy after {HEALTH_TIMEOUT_S:.0f} s: {part.health_url}"
        ) from error


async def _relay(part: Part, output: asyncio.StreamReader, show: ShowLine) -> None:
    while not output.at_eof():
        with suppress(ValueError):  # a line above 64 KiB is not for reading
            if line := await output.readline():
                show(part.name, line.decode(errors="replace").rstrip())


async def _stop(process: Process) -> None:
    """SIGTERM to the group, SIGKILL to what is left of it when its leader has ended or is late."""
    if process.returncode is None:
        _signal_group(process, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    is_gone = not _signal_group(process, signal.SIGKILL)
    await process.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(KILL_TIMEOUT_S):
            while not is_gone:
                await asyncio.sleep(POLL_S / 10)
                is_gone = not _signal_group(process, signal.SIGKILL)


def _signal_group(process: Process, number: signal.Signals) -> bool:
    """Whether there was anybody to signal."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of one all but gone
        return False
    return True
