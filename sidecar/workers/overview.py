"""The admin port of several workers: each is asked, and the sum is told."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from aiohttp import web
from pydantic import TypeAdapter

from sidecar import assembly
from sidecar.config import Settings
from sidecar.errors import WorkerFailed
from sidecar.ops.admin import Admin, NobodyAnswers, Sources
from sidecar.ops.exposition import Exposition
from sidecar.ops.history import STEP_S, History
from sidecar.ops.metrics import Readings
from sidecar.ops.processes import ProcessesCollector
from sidecar.ops.status import Now, describe
from sidecar.ops.totals import Snapshot, Totals
from sidecar.setting_texts import effective
from sidecar.workers.child import Child
from sidecar.workers.link import LinkClosed

ANSWER_S = 0.8
"""For one worker to answer, which takes 2 ms. Below the second after which probes give up."""

_clock = time.time  # noqa: TID251 - it says when things happened, and decides nothing
_snapshot = TypeAdapter(Snapshot)


class Team(Protocol):
    """Who is asked; see `crew.Crew`."""

    settings: Settings
    reloads: int
    failed_reloads: int
    deaths: int
    is_draining: bool

    @property
    def workers(self) -> Mapping[int, Child | None]:
        """By place, whoever serves there; None while somebody is only being started."""
        ...


class Overview:
    """Asks all and adds up. A class because it remembers what was told, and when.

    Args:
        team: Whose workers are asked.
    """

    def __init__(self, team: Team) -> None:
        self._team = team
        self._totals = Totals()
        self._history = History(self._totals.metrics)
        self._silent: set[int] = set()
        self._asking = asyncio.Lock()
        self._started_at = _clock()
        self._sampling = asyncio.get_running_loop().create_task(self._sample())

    def bury(self, child: Child) -> None:
        """Remember what a worker that is no more has counted."""
        self._totals.bury(child.pid)
        self._silent.discard(child.pid)

    async def close(self) -> None:
        """Stop watching."""
        self._sampling.cancel()
        await asyncio.gather(self._sampling, return_exceptions=True)

    def application(self) -> web.Application:
        """Make what the admin port serves."""
        exposition = Exposition(self._totals.metrics, self._read, ProcessesCollector(self._pids))

        async def metrics() -> bytes:
            await self._refresh()
            return exposition.text()

        sources = Sources(
            what_is_missing=self._what_is_missing,
            metrics=metrics,
            status=self._status,
            explain=self._explain,
            own_name=self._team.settings.admin_listen.host,
        )
        return Admin(sources).application()

    async def _refresh(self) -> None:
        # One after the other: what was told first must be noted first.
        async with self._asking:
            await asyncio.gather(*(self._ask(child) for child in self._living().values()))

    async def _ask(self, child: Child) -> None:
        try:
            told = await child.link.ask("snapshot", timeout_s=ANSWER_S)
        except (TimeoutError, LinkClosed, WorkerFailed):
            self._silent.add(child.pid)
            return
        self._silent.discard(child.pid)
        if child in self._living().values():  # else it was buried while this was on its way
            self._totals.note(child.pid, _snapshot.validate_python(told))

    async def _what_is_missing(self) -> list[str]:
        await self._refresh()
        return self._missing()

    def _missing(self) -> list[str]:
        missing = ["draining"] if self._team.is_draining else []
        for place, child in self._team.workers.items():
            missing += [f"worker {place}: {what}" for what in self._missing_of(child)]
        return missing

    def _missing_of(self, child: Child | None) -> tuple[str, ...]:
        if child is None:
            return ("starting",)
        told = self._totals.latest(child.pid)
        if told is None or child.pid in self._silent:
            return ("no answer",)
        return told.missing

    async def _status(self) -> Mapping[str, object]:
        await self._refresh()
        settings = self._team.settings
        routes = assembly.make_routes(settings)
        moment = Now(
            time=_clock(),
            started_at=self._started_at,
            missing=self._missing(),
            readings=self._read(),
            routes=[*routes.routes, routes.default],
            settings=effective(settings),
        )
        described = describe(moment, self._totals.metrics, self._history, self._totals.refusals())
        return {**described, "workers": [self._describe(*each) for each in self._living().items()]}

    def _describe(self, place: int, child: Child) -> Mapping[str, object]:
        told = self._totals.latest(child.pid)
        return {
            "place": place,
            "pid": child.pid,
            "up_s": time.monotonic() - child.started_at,
            "requests": told.requests if told is not None else 0,
            "in_flight": told.readings.in_flight if told is not None else 0,
        }

    async def _explain(self, asked: Mapping[str, str]) -> Mapping[str, object]:
        for child in self._living().values():
            with contextlib.suppress(TimeoutError, LinkClosed, WorkerFailed):
                found: Mapping[str, object] = await child.link.ask(
                    "explain", asked, timeout_s=ANSWER_S
                )
                return found
        raise NobodyAnswers

    def _read(self) -> Readings:
        team = self._team
        return replace(
            self._totals.readings(),
            reloads=team.reloads,
            failed_reloads=team.failed_reloads,
            workers=len(self._living()),
            worker_deaths=team.deaths,
        )

    def _living(self) -> dict[int, Child]:
        return {place: child for place, child in self._team.workers.items() if child is not None}

    def _pids(self) -> list[int]:
        return [child.pid for child in self._living().values()]

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            await self._refresh()
            self._history.sample(_clock(), self._totals.readings().keys)
