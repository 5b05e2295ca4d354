"""A worker process as its supervisor sees it: started, asked, ended."""

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sidecar.errors import WorkerFailed
from sidecar.workers.link import Link, LinkClosed
from sidecar.workers.worker import SUPERVISED

START_S = 60.0
"""To import, bind and listen: half a second; longer where many start on a small machine."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker starts by.

    Attributes:
        settings: As JSON has them, with the ports that the system chose.
        sockets: Descriptors of Unix sockets that listen already, by path.
        output_lock: Descriptor that whoever writes to the standard output locks; None if nobody.
    """

    settings: Mapping[str, Any]
    sockets: Mapping[str, int]
    output_lock: int | None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the process must inherit."""
        lock = () if self.output_lock is None else (self.output_lock,)
        return (*self.sockets.values(), *lock)


class Child:
    """A worker process. A class because it lives and ends.

    Attributes:
        pid: Its process id.
        link: For questions.
        started_at: Seconds of the monotonic clock.
    """

    def __init__(self, process: asyncio.subprocess.Process, link: Link) -> None:
        self._process = process
        self._reading = asyncio.get_running_loop().create_task(link.run())
        self.pid = process.pid
        self.link = link
        self.started_at = time.monotonic()

    @classmethod
    async def start(cls, order: Order) -> Self:
        """Start a process, and wait until it serves.

        Raises:
            SettingsInvalid: It cannot run by these settings.
            ListenFailed: It cannot have an address.
            WorkerFailed: It ends, or does not serve in time.
        """
        child = await cls._spawn(order.descriptors)
        content = {
            "settings": order.settings,
            "sockets": order.sockets,
            "output_lock": order.output_lock,
        }
        try:
            await child.link.ask("start", content, timeout_s=START_S)
        except LinkClosed:
            how = await child.ended()
            raise WorkerFailed(f"a worker ended before it served: {how}") from None
        except TimeoutError:
            await child.kill()
            raise WorkerFailed(f"a worker does not serve within {START_S:g} s") from None
        except BaseException:
            await child.kill()
            raise
        return child

    async def ended(self) -> str:
        """Wait for its end, and say how it came about."""
        status = await self._process.wait()
        await asyncio.wait((self._reading,))  # what it said last
        self.link.close()
        return f"exit status {status}" if status >= 0 else _name_of(-status)

    async def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.ended()

    @classmethod
    async def _spawn(cls, descriptors: tuple[int, ...]) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            # Ctrl-C in a terminal reaches the worker too, perhaps before it can know better.
            signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISED)
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, *_flags(), "-m", "sidecar.workers"),
                    stdin=theirs.fileno(),
                    pass_fds=descriptors,
                )
            except BaseException:
                ours.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISED)
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(process, Link(reader, writer))


def _flags() -> list[str]:
    """Let the worker find this package where we did, and in its working directory only then too."""
    if sys.flags.isolated:
        return ["-I"]
    return [] if {"", str(Path.cwd())} & set(sys.path) else ["-P"]


def _name_of(number: int) -> str:
    return f"killed by {signal.Signals(number).name}"
