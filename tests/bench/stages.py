"""Who runs in front of what, and in which order: rounds are interleaved, peer after peer.

All peers of a stage run all the time; the one under load has the measured core to itself, because
the others have nothing to do.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial

from tests.bench import backends, wrk
from tests.bench.accounting import rss_mib
from tests.bench.check import check_view
from tests.bench.measure import Load, Round, measure
from tests.bench.peers.flask import FLASK_PLAIN, FLASK_VERIFIES
from tests.bench.peers.peer import Running
from tests.bench.peers.sidecar import SIDECAR
from tests.bench.plan import Plan, say
from tests.bench.processes import DidNotStart
from tests.bench.results import DIRECT, Results
from tests.bench.targets import FLASK_PLAIN as PAIR
from tests.bench.websockets import measure_messages
from tests.bench.workloads import MANY, WEBSOCKET, WORKLOADS, Workload
from tests.bench.wrk import LoadFailed, write_script

MEMORY_AFTER = "hot-512"
"""Resident memory is read after this workload: all 512 connections were open, all caches small."""

_MAX_WARM_UPS = 8
_WAKE_S = 2
_MESSAGES_S = 1

OneRound = Callable[[Running], Round]


def measure_proxies(plan: Plan, results: Results) -> None:
    """Measure everyone in front of nginx, and then of the sample backend."""
    for stage in ("nginx", "backend"):
        if plan.on(stage):
            with _proxies(plan, stage, results) as started:
                _measure_stage(plan, stage, started, results)


def measure_websockets(plan: Plan, results: Results) -> None:
    """Measure everyone who can in front of an echo."""
    token = plan.tokens.hot.read_bytes().split()[0]
    one_round = partial(measure_messages, token=token, seconds=_MESSAGES_S)
    with _proxies(plan, WEBSOCKET, results) as started:
        _measure_all(WEBSOCKET, plan.rounds, started, one_round, results)


def measure_flask(plan: Plan, results: Results) -> None:
    """Measure an application that verifies, and one behind the sidecar, on the same core."""
    if not plan.on("flask"):
        return
    with ExitStack() as stack:
        plain = stack.enter_context(plan.run(FLASK_PLAIN, ""))
        front = stack.enter_context(plan.run(SIDECAR, plain.url.removeprefix("http://")))
        verifies = stack.enter_context(plan.run(FLASK_VERIFIES, ""))
        both = Running(PAIR, front.url, (*front.pids, *plain.pids))
        asyncio.run(check_view(both.url, verifies=True))
        asyncio.run(check_view(verifies.url, verifies=True))
        _measure_stage(plan, "flask", (both, verifies), results)


# Everyone has a backend of their own. A proxy that opens connections and sends nothing on them, as
# Envoy does, blocks the threads of a gunicorn, and whoever shares it would pay.
_BACKENDS: dict[str, Callable[[Plan], AbstractContextManager[str]]] = {
    "nginx": lambda plan: nullcontext(plan.nginx),
    "backend": lambda plan: backends.sample_backend(plan.folder),
    WEBSOCKET: lambda plan: backends.echo(plan.folder),
}


@contextmanager
def _proxies(plan: Plan, stage: str, results: Results) -> Iterator[list[Running]]:
    backend = _BACKENDS[stage]
    with ExitStack() as stack:
        started = [Running(DIRECT, f"http://{stack.enter_context(backend(plan))}", ())]
        for peer in plan.peers:
            upstream = stack.enter_context(backend(plan))
            try:
                started.append(stack.enter_context(plan.run(peer, upstream)))
            except DidNotStart as error:
                results.failures[stage, peer.name] = str(error)
        yield started


def _measure_stage(plan: Plan, stage: str, started: Sequence[Running], results: Results) -> None:
    _wake(plan, started)
    for workload in plan.on(stage):
        _measure_workload(plan, workload, started, results)
        if workload.name == MEMORY_AFTER or not results.rss_mib:
            results.rss_mib = {on.name: rss_mib(on.pids) for on in started if on.pids}


def _wake(plan: Plan, started: Sequence[Running]) -> None:
    """Give everyone some load that is not counted: Node compiles what it finds hot."""
    script = write_script(WORKLOADS[0].request(plan.tokens), plan.folder / "wake.lua")
    for on in started:
        with suppress(LoadFailed):
            wrk.run(on.url, script, WORKLOADS[0].connections, _WAKE_S)


def _measure_workload(
    plan: Plan, workload: Workload, started: Sequence[Running], results: Results
) -> None:
    script = write_script(workload.request(plan.tokens), plan.folder / f"{workload.name}.lua")
    load = Load(script, workload.connections, workload.seconds, is_refused=workload.is_refused)
    # Nobody refuses on behalf of a bare backend.
    takes_part = [r for r in started if not (workload.is_refused and r.name == DIRECT)]
    turn = _Turn(load)
    if workload.needs_full_caches:
        script = write_script(MANY.request(plan.tokens), plan.folder / "fill.lua")
        _warm_up(plan, takes_part, _Turn(replace(load, script=script)))
    if workload.needs_warmth:
        _warm_up(plan, takes_part, turn)
    _measure_all(workload.name, plan.rounds, takes_part, turn.one_round, results)


class _Turn:
    """Puts one load on peers. A class because each peer goes on where its last round ended.

    So a file of tokens that are to be new to every cache is used in turn, and not its beginning
    again and again.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self.used: dict[str, int] = {}

    def one_round(self, on: Running) -> Round:
        """Measure one round."""
        start_at = self.used.get(on.name, 0)
        measured = measure(on, self._load, start_at)
        # wrk has one more request under way on each connection when its time is up.
        self.used[on.name] = start_at + measured.requests + self._load.connections
        return measured


def _warm_up(plan: Plan, started: Sequence[Running], turn: _Turn) -> None:
    count = len(plan.tokens.many.read_bytes().split())
    for on in started:
        for _ in range(_MAX_WARM_UPS):
            if turn.used.get(on.name, 0) >= count:
                break
            turn.one_round(on)


def _measure_all(
    name: str, rounds: int, started: Sequence[Running], one_round: OneRound, results: Results
) -> None:
    say(f"measuring {name}")
    for _ in range(rounds):
        for on in started:
            if (name, on.name) in results.failures:
                continue
            try:
                results.rounds[name][on.name].append(one_round(on))
            except LoadFailed as error:
                results.failures[name, on.name] = str(error)
