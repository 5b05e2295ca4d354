"""A worker: a sidecar without an admin port, which does what its supervisor says over the link.

When the link ends the supervisor is dead: the worker drains and ends too, and is never an orphan.
"""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from sidecar.config import Settings
from sidecar.model import Address
from sidecar.ops import logs
from sidecar.ops.totals import Snapshot
from sidecar.server import Change, Sidecar
from sidecar.workers.link import Link
from sidecar.workers.output import SharedOutput

SUPERVISED = frozenset({signal.SIGINT, signal.SIGHUP, signal.SIGTERM})
"""Blocked when a worker starts, until it knows what to do about them."""

_snapshot = TypeAdapter(Snapshot)


class Worker:
    """Follows orders. A class because it starts, and is told to stop.

    Attributes:
        stopped: Set as soon as it is to drain and end.
    """

    def __init__(self) -> None:
        self.stopped = asyncio.Event()
        self._cleanup = contextlib.AsyncExitStack()
        self._sidecar: Sidecar | None = None
        self._change: Change | None = None

    async def answer(self, what: str, content: Any) -> object:  # noqa: ANN401 - JSON
        """Do what the supervisor says, and return what it asks for.

        Raises:
            SettingsInvalid: The settings cannot be used.
            ListenFailed: An address is in use or not ours.
        """
        if what == "start":
            await self._start(content)
            return None
        sidecar = self._running()
        match what:
            case "snapshot":
                return _snapshot.dump_python(sidecar.operations.snapshot(), mode="json")
            case "explain":
                return await sidecar.operations.explain(content)
            case "prepare":
                self._change = await sidecar.prepare(Settings.model_validate(content))
            case "adopt" if self._change is not None:
                await sidecar.adopt(self._change)
                self._change = None
            case "discard":
                await sidecar.discard()
                self._change = None
            case "retire":
                sidecar.retire()
            case "stop":
                self.stopped.set()
            case "abort":
                sidecar.abort()
        return None

    def recycle(self) -> None:
        """Stop after the time of grace; another worker will take this one's place."""
        if self._sidecar is None:
            self.stopped.set()
            return
        self._sidecar.retire()
        grace_s = self._sidecar.settings.timeouts.grace_s
        asyncio.get_running_loop().call_later(grace_s, self.stopped.set)

    async def drain(self) -> None:
        """Let requests in flight finish, then close everything."""
        await self._cleanup.aclose()

    async def _start(self, order: Mapping[str, Any]) -> None:
        settings = Settings.model_validate(order["settings"])
        if order["output_lock"] is not None:
            sys.stdout = SharedOutput(sys.stdout.fileno(), order["output_lock"])
            logs.set_up(settings.log_format, sys.stdout)
        inherited = {
            Address(path=path): socket.socket(fileno=descriptor)
            for path, descriptor in order["sockets"].items()
        }
        self._sidecar = Sidecar(settings, inherited)
        await self._cleanup.enter_async_context(self._sidecar)

    def _running(self) -> Sidecar:
        if self._sidecar is None:
            msg = "not started"
            raise RuntimeError(msg)
        return self._sidecar


async def work(connection: socket.socket) -> None:
    """Work until told to stop, or until the supervisor is no more.

    Args:
        connection: To the supervisor.
    """
    worker = Worker()
    _watch_signals(worker)
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    link = Link(reader, writer, worker.answer)
    loop = asyncio.get_running_loop()
    reading = loop.create_task(link.run())
    told = loop.create_task(worker.stopped.wait())
    try:
        await asyncio.wait((reading, told), return_when=asyncio.FIRST_COMPLETED)
        await worker.drain()  # while it still reads: it may be told to hurry
    finally:
        for task in (reading, told):
            task.cancel()
        await asyncio.gather(reading, told, return_exceptions=True)
        link.close()


def _watch_signals(worker: Worker) -> None:
    """Leave Ctrl-C and SIGHUP to the supervisor: a terminal sends them to all of us."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.recycle)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISED)
