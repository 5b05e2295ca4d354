"""Several workers on one port: whoever dies is replaced, and all drain before this process ends.

The supervisor carries no request and has no key: it has nothing to decide about a caller.
"""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import web

from sidecar.config import Settings
from sidecar.errors import SettingsInvalid, WorkerFailed
from sidecar.lifecycle import Service
from sidecar.listener import Listener
from sidecar.server import RELOAD_S
from sidecar.workers.child import Child, Order
from sidecar.workers.doors import Doors
from sidecar.workers.link import LinkClosed
from sidecar.workers.overview import Overview
from sidecar.workers.place import Place

_MARGIN_S = 5.0  # beyond a worker's own time limits, for a busy machine
_TRACES_S = 30.0  # what OpenTelemetry's exporter takes at most for what it still holds

_log = logging.getLogger("sidecar.workers")


class Crew(Service):
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
        super().__init__()
        self.settings = settings
        self.address = settings.listen
        self.admin_address = settings.admin_listen
        self.verify_address = settings.verify_listen
        self.reloads = 0
        self.failed_reloads = 0
        self.deaths = 0
        self.is_draining = False
        self._output_lock = output_lock
        self._places = [Place(n, self._hire, self._bury) for n in range(1, count + 1)]
        self._is_in_hurry = asyncio.Event()

    @property
    def workers(self) -> Mapping[int, Child | None]:
        """By place, whoever serves there; None while somebody is only being started."""
        return {place.number: place.child for place in self._places}

    def retire(self) -> None:
        """Say that none is ready any more, and close each connection after its next answer."""
        self.is_draining = True
        for place in self._places:
            place.is_closing = True
            place.tell("retire")

    def abort(self) -> None:
        """Break off whatever is under way."""
        self._is_in_hurry.set()
        for place in self._places:
            place.tell("abort")

    async def reload(self, settings: Settings) -> None:
        """Let all workers go on by other settings, or none of them.

        Raises:
            SettingsInvalid: One of them cannot; all stay with the old settings.
        """
        written, children = self._doors.settings_for_workers(settings), self._living()
        found = await asyncio.gather(*(_prepare(child, written) for child in children))
        problems = dict.fromkeys(problem for each in found for problem in each)
        if problems:
            for child in children:
                child.link.tell("discard")
            raise SettingsInvalid(list(problems))
        await asyncio.gather(*(_adopt(child) for child in children))
        self.settings = settings
        for child in self._living():
            if child not in children:  # started meanwhile, by what was in force then
                await child.kill()

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
        await self._fill()

    async def _fill(self) -> None:
        starts = [asyncio.ensure_future(place.fill()) for place in self._places]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            raise
        for place in self._places:
            place.keep()
        pids = ", ".join(str(child.pid) for child in self._living())
        _log.info("%d workers: pid %s", len(self._places), pids)

    async def _hire(self) -> Child:
        settings = self.settings
        written = self._doors.settings_for_workers(settings)
        child = await Child.start(Order(written, self._doors.sockets, self._output_lock))
        if settings is not self.settings:
            await child.kill()
            raise WorkerFailed("the settings have changed meanwhile")
        if self.is_draining:
            child.link.tell("retire")
        return child

    def _bury(self, child: Child) -> None:
        self.deaths += 1
        self._overview.bury(child)

    async def _dismiss(self) -> None:
        self._doors.shut()
        # The verify port drains after the public one.
        patience_s = 2 * self.settings.timeouts.drain_s + _TRACES_S + _MARGIN_S
        closing = (place.close(patience_s, self._is_in_hurry) for place in self._places)
        await asyncio.gather(*closing)

    def _living(self) -> list[Child]:
        return [place.child for place in self._places if place.child is not None]


async def _prepare(child: Child, settings: Mapping[str, object]) -> list[str]:
    """Return what keeps a worker from going on by other settings."""
    try:
        await child.link.ask("prepare", settings, timeout_s=RELOAD_S + _MARGIN_S)
    except SettingsInvalid as error:
        return error.problems
    except (TimeoutError, WorkerFailed):
        return [f"worker pid {child.pid} does not take them; those before stay in force"]
    except LinkClosed:  # whoever replaces it starts by what is in force then
        return []
    return []


async def _adopt(child: Child) -> None:
    try:
        await child.link.ask("adopt", timeout_s=_MARGIN_S)
    except (TimeoutError, WorkerFailed, LinkClosed):
        await child.kill()  # it must not go on by other settings than the rest
