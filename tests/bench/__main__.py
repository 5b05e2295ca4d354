"""`make bench`: this sidecar and everyone else who verifies tokens, side by side, in one run.

The measured process has one core to itself; backend and load generator share the other. Rounds are
interleaved, figures are medians. Exits with 1 if a target is missed by more than 10 %.
"""

import argparse
import asyncio
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.bench import chart, machine, plot, report, stages
from tests.bench.admission import who_does_the_work, who_is_there
from tests.bench.backends import nginx
from tests.bench.check import DoesOtherWork
from tests.bench.growth import measure_growth, measure_idle
from tests.bench.keys import write_keys
from tests.bench.peers import PROXIES
from tests.bench.peers.flask import FLASK_VERIFIES
from tests.bench.peers.sidecar import SIDECAR
from tests.bench.plan import Plan, say
from tests.bench.processes import MEASURED_CPU, OTHER_CPU, ROOT, DidNotStart
from tests.bench.programs import install, why_missing
from tests.bench.results import Results
from tests.bench.scaling import measure_workers
from tests.bench.table import Table
from tests.bench.targets import FLASK_PLAIN, judge
from tests.bench.tokens import COLD, write_tokens
from tests.bench.workloads import WEBSOCKET, WORKLOADS, Workload

GROWTH = "growth"
IDLE = "idle"
SCALING = "workers"
RESULTS = ROOT / "tests" / "bench" / "results.md"
IMAGES = ROOT / "docs" / "images"
"""Where a whole run leaves its figures. Any other run leaves them in `TRIAL`."""

TRIAL = ROOT / ".local" / "bench"

_TERMINATED = 128 + signal.SIGTERM  # what a shell says of it
_NEEDED = ("wrk", "nginx")
_QUICK_COLD = 11_000  # just more than the caches of 10 000 hold


def main() -> int:
    """Measure, print the tables, and write them with pictures; 1 if a target is missed."""
    options = _options()
    # So that whatever was started is stopped on SIGTERM too, as it is on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    install((*_NEEDED, *(peer.program for peer in PROXIES)))
    missing = _what_is_missing()
    if missing:
        say(f"cannot run: {', '.join(missing)}")
        return 1
    where = machine.describe()
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        folder.chmod(0o755)  # Apache's worker is another user
        _run(_plan(options, folder, results, stack), options, results)
    return _tell(results, where, options)


def _what_is_missing() -> list[str]:
    if sys.platform != "linux":
        return ["Linux is needed: processes are pinned to cores and measured by its accounting"]
    missing = [why for name in _NEEDED if (why := why_missing(name))]
    if not {MEASURED_CPU, OTHER_CPU} <= os.sched_getaffinity(0):
        missing.append(f"processors {MEASURED_CPU} and {OTHER_CPU} are needed")
    return missing


def _run(plan: Plan, options: argparse.Namespace, results: Results) -> None:
    plan = replace(plan, peers=asyncio.run(who_does_the_work(plan, results)))
    steps: dict[str, Callable[[Plan, Results], None]] = {
        "proxies": stages.measure_proxies,
        WEBSOCKET: stages.measure_websockets,
        "flask": stages.measure_flask,
        GROWTH: measure_growth,
        IDLE: measure_idle,
        SCALING: measure_workers,
    }
    left_out = {WEBSOCKET, GROWTH, IDLE, SCALING} - set(options.only)
    for what, measure in steps.items():
        if what in left_out:
            continue
        try:
            measure(plan, results)
        except (DidNotStart, DoesOtherWork) as error:  # what was measured before is not lost
            results.failures[what, SIDECAR.name] = str(error)


def _plan(options: argparse.Namespace, folder: Path, results: Results, stack: ExitStack) -> Plan:
    keys = write_keys(folder)
    say("minting tokens")
    tokens = write_tokens(folder, _QUICK_COLD if options.quick else COLD)
    # From here on, whatever runs in this process runs beside the backend.
    os.sched_setaffinity(0, {OTHER_CPU})
    _allow_many_files()
    return Plan(
        folder=folder,
        keys=keys,
        tokens=tokens,
        nginx=stack.enter_context(nginx(folder, keys)),
        peers=who_is_there(options.peers, results),
        workloads=_workloads(options),
        rounds=options.rounds,
    )


def _workloads(options: argparse.Namespace) -> list[Workload]:
    chosen = [workload for workload in WORKLOADS if workload.name in options.only]
    return [replace(workload, seconds=1) for workload in chosen] if options.quick else chosen


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _tell(results: Results, where: Sequence[str], options: argparse.Namespace) -> int:
    if SIDECAR.name in results.missing:
        say(f"{SIDECAR.name}: {results.missing[SIDECAR.name]}")
        return 1
    verdicts = judge(results)
    if not options.is_whole:
        verdicts = [verdict for verdict in verdicts if verdict.value is not None]
    peers = (*(peer.name for peer in PROXIES), FLASK_PLAIN, FLASK_VERIFIES.name)
    tables = report.tables(results, verdicts, peers)
    notes = [
        *where,
        *(f"{name}: {version}" for name, version in results.versions.items()),
        f"{options.rounds} rounds, interleaved; medians; measured on core {MEASURED_CPU} alone",
        *report.METHOD,
        *report.notes(results),
    ]
    print("\n\n".join(("\n".join(notes), *(table.as_text() for table in tables))))
    _write(options, results, ("\n".join(f"- {note}" for note in notes), *_markdown(tables)))
    return int(any(verdict.is_missed for verdict in verdicts))


def _markdown(tables: Sequence[Table]) -> list[str]:
    return [table.as_markdown() for table in tables]


def _write(options: argparse.Namespace, results: Results, parts: Sequence[str]) -> None:
    file, images = (RESULTS, IMAGES) if options.is_whole else (TRIAL / RESULTS.name, TRIAL)
    images.mkdir(parents=True, exist_ok=True)
    file.write_text("\n\n".join(("# `make bench`", *parts)) + "\n")
    (images / "bench.svg").write_text(chart.chart(results, [peer.name for peer in PROXIES]))
    (images / "growth.svg").write_text(plot.plot(results))
    say(f"written: {file.relative_to(ROOT)}, pictures in {images.relative_to(ROOT)}")


def _options() -> argparse.Namespace:
    everything = [*(workload.name for workload in WORKLOADS), WEBSOCKET, GROWTH, IDLE, SCALING]
    everyone = [peer.name for peer in PROXIES]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of 1 s, for development")
    parser.add_argument("--only", nargs="+", choices=everything, default=everything)
    parser.add_argument("--peers", nargs="+", choices=everyone, default=everyone)
    options = parser.parse_args()
    options.is_whole = options.only == everything and not options.quick
    options.is_whole = options.is_whole and options.peers == everyone
    options.rounds = 1 if options.quick else options.rounds
    return options


if __name__ == "__main__":
    sys.exit(main())
