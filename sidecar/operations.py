"""Puts the rooms of `ops/` together with what they report on: log, metrics, history, admin page."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from aiohttp import web

from sidecar import assembly
from sidecar.config import Settings, wants_traces
from sidecar.diagnosis.question import Question, answer_with
from sidecar.diagnosis.report import answer_data, answer_text
from sidecar.errors import SettingsInvalid
from sidecar.identity.authenticator import Pool
from sidecar.model import RequestRecord
from sidecar.ops.access_log import AccessLog, json_line, text_line
from sidecar.ops.admin import Admin, Sources
from sidecar.ops.exposition import Exposition
from sidecar.ops.history import STEP_S, History
from sidecar.ops.logs import is_json
from sidecar.ops.metrics import Metrics, Readings
from sidecar.ops.refusals import Refusals, Refused
from sidecar.ops.status import Now, describe
from sidecar.ops.totals import Snapshot, counts_of
from sidecar.ops.tracing import Tracing, TracingUnavailable, make_provider
from sidecar.setting_texts import effective

FLUSH_S = 0.2
"""How late a request may be told of. Below what a person notices, above thousands of requests."""

MAX_HELD = 50
"""Requests that are over and not told of yet. Telling of them one after another, in one go, takes
half the time it takes between requests, when other code has pushed it out of the processor's
caches. Telling of 50 takes 0.1 to 0.2 ms, in which all others wait; more would take longer and cost
each no less."""

Records = list[RequestRecord]

_complaints = logging.getLogger("sidecar.operations")

_clock = time.time  # noqa: TID251 - it says when things happened, and decides nothing


class Running(Protocol):
    """What is operated; see `server.Sidecar`."""

    settings: Settings

    def read(self) -> Readings:
        """Take the readings of this moment."""
        ...

    def what_is_missing(self) -> list[str]:
        """Say what keeps it from serving."""
        ...

    def pools(self) -> list[Pool]:
        """Return the pools in force, with their keys of this moment."""
        ...


class Operations:
    """Watches a running sidecar and tells of it. A class because it remembers what happened.

    Args:
        running: What is operated.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self._loop = asyncio.get_running_loop()
        self._metrics = Metrics()
        self._refusals = Refusals()
        self._history = History(self._metrics)
        self._log = _make_log(running.settings)
        self._tracing = _make_tracing()
        self._over: Records = []
        self._has_complained = False
        self._timer: asyncio.TimerHandle | None = None
        self._started_at = _clock()
        self._sampler = self._loop.call_later(STEP_S, self._sample)

    def observe(self, record: RequestRecord) -> None:
        """Note a request that is over."""
        over = self._over
        over.append(record)
        # Never told of at once: an error in it must not come up in the middle of a request.
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S, self._tell_in_time)
        elif len(over) == MAX_HELD:
            self._loop.call_soon(self._tell)

    async def close(self) -> None:
        """Write what is still to be written, and stop watching."""
        self._sampler.cancel()
        self._tell()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)  # it waits for the collector

    def _tell_in_time(self) -> None:
        self._timer = None
        self._tell()

    def _tell(self) -> None:
        records, self._over = self._over, []
        for record in records:
            self._metrics.observe(record)
            self._refusals.observe(record)
        self._try_to(self._write_log, records)
        if self._tracing is not None:
            self._try_to(self._trace, records)

    def _try_to(self, tell: Callable[[Records], None], records: Records) -> None:
        try:
            tell(records)
        except Exception:  # noqa: BLE001 - a full disk, a broken pipe: all else goes on
            if not self._has_complained:
                self._has_complained = True
                _complaints.exception("requests could not be told of, and will not be named again")

    def _write_log(self, records: Records) -> None:
        self._log.log(records, _clock() - time.monotonic())

    def _trace(self, records: Records) -> None:
        assert self._tracing is not None  # noqa: S101 - asked before
        for record in records:
            self._tracing.observe(record)

    def application(self) -> web.Application:
        """Make what the admin port serves."""
        exposition = Exposition(self._metrics, self._running.read)

        async def metrics() -> bytes:
            self._tell()
            return exposition.text()

        sources = Sources(
            what_is_missing=self._what_is_missing,
            metrics=metrics,
            status=self._status,
            explain=self.explain,
            own_name=self._running.settings.admin_listen.host,
        )
        return Admin(sources).application()

    def snapshot(self) -> Snapshot:
        """Return all that happened so far, for whoever adds it up."""
        self._tell()
        running = self._running
        return Snapshot(
            counts=counts_of(self._metrics),
            readings=running.read(),
            refusals=tuple(self._latest_refusals()),
            missing=tuple(running.what_is_missing()),
        )

    async def explain(self, asked: Mapping[str, str]) -> Mapping[str, object]:
        """Answer a question about a token, as the admin page's box asks it."""
        token = asked.get("token", "").strip() or None
        path = asked.get("path", "").strip() or None
        question = Question(token, path, asked.get("method", "GET"))
        found = answer_with(question, self._running.pools(), self._running.settings, _clock())
        return {**answer_data(found), "text": answer_text(found)}

    async def _what_is_missing(self) -> list[str]:
        return self._running.what_is_missing()

    async def _status(self) -> Mapping[str, object]:
        self._tell()
        running = self._running
        routes = assembly.make_routes(running.settings)
        moment = Now(
            time=_clock(),
            started_at=self._started_at,
            missing=running.what_is_missing(),
            readings=running.read(),
            routes=[*routes.routes, routes.default],
            settings=effective(running.settings),
        )
        return describe(moment, self._metrics, self._history, self._latest_refusals())

    def _latest_refusals(self) -> list[Refused]:
        return self._refusals.latest(clock_offset_s=_clock() - time.monotonic())

    def _sample(self) -> None:
        self._sampler = self._loop.call_later(STEP_S, self._sample)
        self._tell()
        self._history.sample(_clock(), self._running.read().keys)


def _make_tracing() -> Tracing | None:
    if not wants_traces():
        return None
    try:
        return Tracing(make_provider(), _clock)
    except TracingUnavailable as error:
        raise SettingsInvalid([str(error)]) from error


def _make_log(settings: Settings) -> AccessLog:
    line = json_line if is_json(settings.log_format, sys.stdout) else text_line
    return AccessLog(sys.stdout.write, line, settings.log_sample)
