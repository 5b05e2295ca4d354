import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local import supervisor
from deploy.local.loopback import HOST, is_healthy, is_taken
from deploy.local.supervisor import Part, PartError, run_until_signal, supervised

MakePart = Callable[..., Part]
Shown = list[tuple[str, str]]

ENDLESS_CHILD = "[sys.executable, '-c', 'import signal; signal.pause()']"


def pids_in(shown: Shown) -> list[int]:
    return [int(line.split()[1]) for _, line in shown if line.startswith(("pid ", "child "))]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that has ended waits for init to notice, in some containers for ever.
    status = Path(f"/proc/{pid}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())


def assert_nothing_is_left(parts: list[Part], shown: Shown) -> None:
    assert pids_in(shown)
    assert not [pid for pid in pids_in(shown) if is_running(pid)]
    assert not [part.name for part in parts if is_taken(urlsplit(part.health_url).port or 0)]


async def test_parts_start_one_after_the_other(make_part: MakePart) -> None:
    """When a part has been started it is healthy, and the next has not begun."""
    first, second = make_part("first"), make_part("second")
    shown: Shown = []
    async with supervised(lambda *line: shown.append(line)) as start:
        await start(first)
        assert is_healthy(first.health_url)
        assert not is_taken(urlsplit(second.health_url).port or 0)
        await start(second)
        assert is_healthy(second.health_url)
    assert_nothing_is_left([first, second], shown)


async def test_lines_of_a_part_carry_its_name(make_part: MakePart) -> None:
    """Standard output and standard error are shown line by line, bytes that are no text too."""
    extra = "print('out', flush=True); os.write(2, b'err \\xff\\n')"
    shown: Shown = []
    async with supervised(lambda *line: shown.append(line)) as start:
        await start(make_part("talker", extra))
    assert ("talker", "out") in shown
    assert ("talker", "err \ufffd") in shown


async def test_a_line_too_long_to_read_is_left_out(make_part: MakePart) -> None:
    """A megabyte without an end of line neither fills the memory nor ends the demo."""
    shown: Shown = []
    async with supervised(lambda *line: shown.append(line)) as start:
        await start(make_part("talker", "print('x' * 1_000_000); print('after')"))
    assert ("talker", "after") in shown


async def test_a_dying_part_ends_all_and_is_named(make_part: MakePart) -> None:
    """One part ends on its own; the others are stopped and the error names the one."""
    steady = make_part("steady")
    mortal = make_part("mortal", "threading.Timer(0.5, os._exit, [3]).start()")
    shown: Shown = []
    with pytest.RaisesGroup(pytest.RaisesExc(PartError, match=r"mortal ended with status 3")):
        async with supervised(lambda *line: shown.append(line)) as start:
            await start(steady)
            await start(mortal)
            await asyncio.Event().wait()
    assert_nothing_is_left([steady, mortal], shown)


async def test_a_part_that_dies_while_starting_ends_all(make_part: MakePart) -> None:
    """A part that ends before it was healthy is named, and the earlier parts are stopped."""
    steady = make_part("steady")
    shown: Shown = []
    with pytest.RaisesGroup(pytest.RaisesExc(PartError, match=r"stillborn .* status 4 at start")):
        async with supervised(lambda *line: shown.append(line)) as start:
            await start(steady)
            await start(make_part("stillborn", "sys.exit(4)"))
    assert_nothing_is_left([steady], shown)


async def test_a_part_that_never_works_is_given_up(
    make_part: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that runs without ever answering ends the start, with the address that was asked."""
    monkeypatch.setattr(supervisor, "HEALTH_TIMEOUT_S", 0.5)
    mute = make_part("mute", "print('pid', os.getpid()); signal.pause()")
    shown: Shown = []
    with pytest.RaisesGroup(pytest.RaisesExc(PartError, match=f"mute .* {mute.health_url}")):
        async with supervised(lambda *line: shown.append(line)) as start:
            await start(mute)
    assert_nothing_is_left([mute], shown)


async def test_a_missing_program_is_named(make_part: MakePart) -> None:
    """A command that does not exist is told apart from one that fails."""
    part = make_part("absent")
    absent = Part(
        part.name, ("no-such-program",), part.environment, part.directory, part.health_url
    )
    shown: Shown = []
    with pytest.RaisesGroup(pytest.RaisesExc(PartError, match=r"absent ended")):
        async with supervised(lambda *line: shown.append(line)) as start:
            await start(absent)
    assert ("absent", "no-such-program: No such file or directory") in shown


async def test_what_the_block_raises_ends_all(make_part: MakePart) -> None:
    """A failure between two starts, such as of the pool, leaves nothing running."""
    steady = make_part("steady")
    shown: Shown = []
    with pytest.RaisesGroup(pytest.RaisesExc(KeyError)):
        async with supervised(lambda *line: shown.append(line)) as start:
            await start(steady)
            raise KeyError
    assert_nothing_is_left([steady], shown)


async def test_output_nobody_reads_ends_all(make_part: MakePart) -> None:
    """When lines cannot be shown any more, as after `| head`, the demo does not go on unseen."""

    def refuse(_name: str, _line: str) -> None:
        raise BrokenPipeError

    talker = make_part("talker", "threading.Timer(0.5, print, ['late']).start()")
    with pytest.RaisesGroup(pytest.RaisesExc(BrokenPipeError)):
        async with supervised(refuse) as start:
            await start(talker)
            await asyncio.Event().wait()
    assert not is_taken(urlsplit(talker.health_url).port or 0)


async def test_a_deaf_part_and_its_children_are_killed(
    make_part: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM is a request; after the grace period the whole process group is ended."""
    monkeypatch.setattr(supervisor, "STOP_TIMEOUT_S", 0.5)
    deaf = make_part(
        "deaf",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"print('child', subprocess.Popen({ENDLESS_CHILD}).pid)",
    )
    shown: Shown = []
    async with supervised(lambda *line: shown.append(line)) as start:
        await start(deaf)
    assert len(pids_in(shown)) == 2
    assert_nothing_is_left([deaf], shown)


async def test_children_of_a_dead_part_are_ended(make_part: MakePart) -> None:
    """A part that dies leaves workers behind; they go with it."""
    mortal = make_part(
        "mortal",
        f"print('child', subprocess.Popen({ENDLESS_CHILD}).pid)\n"
        "threading.Timer(0.5, os._exit, [3]).start()",
    )
    shown: Shown = []
    with pytest.RaisesGroup(pytest.RaisesExc(PartError)):
        async with supervised(lambda *line: shown.append(line)) as start:
            await start(mortal)
            await asyncio.Event().wait()
    assert len(pids_in(shown)) == 2
    assert_nothing_is_left([mortal], shown)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_quietly(make_part: MakePart, ending: signal.Signals) -> None:
    """Ctrl-C, SIGTERM or a closed terminal: everything is gone well within 10 s, without error."""
    parts = [make_part(f"part{number}") for number in range(3)]
    shown: Shown = []

    async def work() -> None:
        async with supervised(lambda *line: shown.append(line)) as start:
            for part in parts:
                await start(part)
            signal.raise_signal(ending)
            await asyncio.Event().wait()

    begun = time.monotonic()
    run_until_signal(work())
    assert time.monotonic() - begun < 10
    assert_nothing_is_left(parts, shown)


def test_an_ignored_hangup_stays_ignored() -> None:
    """Under `nohup` a closed terminal does not end the demo."""
    done: list[bool] = []

    async def work() -> None:
        signal.raise_signal(signal.SIGHUP)
        await asyncio.to_thread(is_taken, 0)  # a cancellation would arrive here
        done.append(True)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run_until_signal(work())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert done


def test_a_second_signal_does_not_interrupt_the_clean_up(
    make_part: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An impatient second Ctrl-C, while a deaf part is waited for, leaves nothing behind."""
    monkeypatch.setattr(supervisor, "STOP_TIMEOUT_S", 0.5)
    deaf = make_part("deaf", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    shown: Shown = []

    async def work() -> None:
        async with supervised(lambda *line: shown.append(line)) as start:
            await start(deaf)
            signal.raise_signal(signal.SIGINT)
            asyncio.get_running_loop().call_later(0.2, signal.raise_signal, signal.SIGINT)
            await asyncio.Event().wait()

    run_until_signal(work())
    assert_nothing_is_left([deaf], shown)


SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from deploy.local.supervisor import Part, run_until_signal, supervised

async def work():
    part = Part("part", tuple(sys.argv[2:]), {}, Path("/"), sys.argv[1])
    async with supervised(lambda name, line: print(line, flush=True)) as start:
        await start(part)
        print("ready", flush=True)
        await asyncio.Event().wait()

run_until_signal(work())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
async def test_a_killed_supervisor_takes_its_parts_with_it(make_part: MakePart) -> None:
    """SIGKILL leaves the supervisor no chance; the kernel ends the part."""
    part = make_part("part")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUPERVISOR, part.health_url, *part.command),
        stdout=asyncio.subprocess.PIPE,
        cwd=supervisor.__file__.rpartition("/deploy/")[0],
    )
    assert process.stdout is not None
    await process.stdout.readuntil(b"ready\n")
    port = urlsplit(part.health_url).port or 0
    reader, writer = await asyncio.open_connection(HOST, port)
    process.kill()
    with suppress(ConnectionError):
        await reader.read()  # ends when the part does
    writer.close()
    await process.communicate()
    assert not is_taken(port)
