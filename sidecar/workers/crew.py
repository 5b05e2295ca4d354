"""Several workers on one port: whoever dies is replaced, and all drain before this process ends.

The supervisor carries no request and has no key: it has nothing to decide about a caller.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Self

from aiohttp import web

from sidecar.config import Settings
from sidecar.errors import ListenFailed, SettingsInvalid, WorkerFailed
from sidecar.listener import Listener
from sidecar.server import RELOAD_S
from sidecar.workers.back_off import BackOff
from sidecar.workers.child import Child, Order
from sidecar.workers.doors import Doors
from sidecar.workers.link import LinkClosed
from sidecar.workers.overview import Overview

ABORT_S = 5.0
"""For workers that were told to break off everything; then they are killed."""

_MARGIN_S = 5.0  # beyond a worker's own time limits, for a busy machine
_TRACES_S = 30.0  # what OpenTelemetry's exporter takes at most for what it still holds

_log = logging.getLogger("sidecar.workers")


class Crew:
    """Running workers. Use as an asynchronous context manager; leaving it drains all of them.

    Args:
        settings: What to run by.
        count: How many workers.
        output_lock: Held by whoever writes to the standard output; None if nobody needs to.

    Attributes:
        address: Where all of them listen, with the port that the system chose.
        admin_address: Where the supervisor listens.
        settings: Those in force.
        reloads: How often they were changed.
        failed_reloads: How often they should have been, and could not.
        deaths: Workers that ended without being told to.
        is_draining: Whether the end has begun.
    """

    def __init__(self, settings: Settings, count: int, output_lock: int | None = None) -> None:
        self.settings = settings
        self.address = settings.listen
        self.admin_address = settings.admin_listen
        self.verify_address = settings.verify_listen
        self.reloads = 0
        self.failed_reloads = 0
        self.deaths = 0
        self.is_draining = False
        self._output_lock = output_lock
        self._workers: dict[int, Child | None] = dict.fromkeys(range(1, count + 1))
        self._keepers: list[asyncio.Task[None]] = []
        self._cleanup = contextlib.AsyncExitStack()
        self._is_in_hurry = asyncio.Event()
        # Nobody starts by settings that are about to change.
        self._settling = asyncio.Lock()

    @property
    def workers(self) -> Mapping[int, Child | None]:
        """By place, whoever serves there; None while somebody is only being started."""
        return self._workers

    async def __aenter__(self) -> Self:
        """Take the addresses, and start all workers; they serve when this returns.

        Raises:
            ListenFailed: An address is in use or not ours.
            SettingsInvalid: No worker can run by these settings.
            WorkerFailed: A worker ends before it serves.
        """
        async with self._cleanup:
            await self._start()
            self._cleanup = self._cleanup.pop_all()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Let all workers drain; the admin port tells of it until the last one has ended."""
        self.retire()
        await self._cleanup.aclose()

    def retire(self) -> None:
        """Say that none is ready any more, and close each connection after its next answer."""
        self.is_draining = True
        for child in self._living():
            child.link.tell("retire")

    def abort(self) -> None:
        """Break off whatever is under way."""
        self._is_in_hurry.set()
        for child in self._living():
            child.link.tell("abort")

    async def reload(self, settings: Settings) -> None:
        """Let all workers go on by other settings, or none of them.

        Raises:
            SettingsInvalid: One of them cannot; all stay with the old settings.
        """
        async with self._settling:
            written = self._doors.settings_for_workers(settings)
            timeout_s = RELOAD_S + _MARGIN_S
            outcomes = [self._prepare(child, written, timeout_s) for child in self._living()]
            problems = [each for found in await asyncio.gather(*outcomes) for each in found]
            if problems:
                for child in self._living():
                    child.link.tell("discard")
                raise SettingsInvalid(list(dict.fromkeys(problems)))
            await asyncio.gather(*(self._adopt(child) for child in self._living()))
            self.settings = settings

    async def _start(self) -> None:
        self._doors = Doors()
        await self._doors.take(self.settings)
        self._cleanup.callback(self._doors.close)
        self._overview = Overview(self)
        self._cleanup.push_async_callback(self._overview.close)
        runner = web.AppRunner(self._overview.application(), access_log=None)
        admin = Listener(runner, self.settings.admin_listen)
        self._cleanup.push_async_callback(admin.stop)
        self.admin_address = await admin.start()
        self.address = self._doors.taken["listen"]
        self.verify_address = self._doors.taken.get("verify_listen")
        self._cleanup.push_async_callback(self._dismiss)
        await self._start_all()

    async def _start_all(self) -> None:
        loop = asyncio.get_running_loop()
        starts = {place: loop.create_task(self._hire(place)) for place in self._workers}
        try:
            children = await asyncio.gather(*starts.values())
        except BaseException:
            for start in starts.values():
                start.cancel()
            await asyncio.gather(*starts.values(), return_exceptions=True)
            raise
        for place, child in zip(starts, children, strict=True):
            self._keepers.append(loop.create_task(self._keep(place, child)))
        _log.info("%d workers: pid %s", len(children), ", ".join(str(c.pid) for c in children))

    async def _hire(self, place: int) -> Child:
        order = Order(
            self._doors.settings_for_workers(self.settings), self._doors.sockets, self._output_lock
        )
        child = await Child.start(order)
        self._workers[place] = child
        if self.is_draining:
            child.link.tell("retire")
        return child

    async def _keep(self, place: int, child: Child) -> None:
        """See to it that somebody serves at a place."""
        back_off = BackOff()
        while True:
            how = await child.ended()
            self._workers[place] = None
            self._overview.bury(child)
            self.deaths += 1
            if self.is_draining:
                return
            wait_s = back_off.after(time.monotonic() - child.started_at)
            said = "worker %d (pid %d) has ended: %s; another one starts in %g s"
            _log.warning(said, place, child.pid, how, wait_s)
            child = await self._replace(place, back_off, wait_s)

    async def _replace(self, place: int, back_off: BackOff, wait_s: float) -> Child:
        while True:
            await asyncio.sleep(wait_s)
            started_at = time.monotonic()
            try:
                async with self._settling:
                    child = await self._hire(place)
            except (SettingsInvalid, ListenFailed, WorkerFailed) as error:
                wait_s = back_off.after(time.monotonic() - started_at)
                said = "worker %d cannot start: %s; next attempt in %g s"
                _log.warning(said, place, error, wait_s)
            else:
                _log.info("worker %d is replaced by pid %d", place, child.pid)
                return child

    async def _prepare(
        self, child: Child, settings: Mapping[str, object], timeout_s: float
    ) -> list[str]:
        try:
            await child.link.ask("prepare", settings, timeout_s=timeout_s)
        except SettingsInvalid as error:
            return error.problems
        except (TimeoutError, WorkerFailed):
            return [f"worker pid {child.pid} does not take them; those before stay in force"]
        except LinkClosed:  # whoever replaces it starts by what is in force then
            return []
        return []

    async def _adopt(self, child: Child) -> None:
        try:
            await child.link.ask("adopt", timeout_s=_MARGIN_S)
        except (TimeoutError, WorkerFailed, LinkClosed):
            await child.kill()  # it must not go on by other settings than the rest

    async def _dismiss(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._doors.shut()
        await asyncio.gather(*(self._let_go(child) for child in self._living()))

    async def _let_go(self, child: Child) -> None:
        child.link.tell("stop")
        ended = asyncio.ensure_future(child.ended())
        hurry = asyncio.ensure_future(self._is_in_hurry.wait())
        # The verify port drains after the public one.
        patience_s = 2 * self.settings.timeouts.drain_s + _TRACES_S + _MARGIN_S
        await asyncio.wait((ended, hurry), timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if hurry.done():
            await asyncio.wait((ended,), timeout=ABORT_S)
        hurry.cancel()
        if not ended.done():
            _log.warning("worker pid %d does not end; it is killed", child.pid)
            await child.kill()
        await ended

    def _living(self) -> list[Child]:
        return [child for child in self._workers.values() if child is not None]
