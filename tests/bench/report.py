"""The results in words and tables, for the terminal and as Markdown. Pure."""

from collections.abc import Callable, Iterator, Sequence

from tests.bench.results import DIRECT, Results
from tests.bench.table import Table
from tests.bench.targets import COLUMNS, Verdict
from tests.bench.workloads import TITLES

NOTHING = "-"

METHOD = (
    "checked first: a peer sets identity from the token and removes what the client says of it",
    "checked first: it passes bodies on, and refuses six kinds of bad token",
    "CPU: user and system time of the whole process tree, by the kernel's clock of each process",
    "backend and load generator share the other core",
    "the sidecar has everything on that is on by default, its log lines go into a pipe",
    "the other peers write no log",
    "Envoy's cache holds 10 000 tokens as the sidecar's does, not its default of 100",
    "HAProxy, Apache, fastify and jose have no cache; 'every token new' is 24 000 in turn",
)
"""What one must know to read the figures."""

Read = Callable[[str], float | None]

_HOT = ("hot-1", "hot", "hot-512")


def tables(results: Results, verdicts: Sequence[Verdict], peers: Sequence[str]) -> list[Table]:
    """Make every table that the results fill."""
    made = [
        _matrix(verdicts),
        _verdict_table([v for v in verdicts if v.what not in _in_matrix(verdicts)]),
        _workload_table("CPU per request, µs", results, peers, results.cpu_us, 1),
        _workload_table(
            "Requests per second",
            results,
            (DIRECT, *peers),
            lambda workload, peer: results.median(workload, peer, lambda r: r.requests_per_s),
            0,
        ),
        _latency_table(results, (DIRECT, *peers)),
        _memory_table(results, peers),
        _growth_table(results),
        _workers_table(results),
        _failure_table(results),
    ]
    return [table for table in made if table.rows]


def notes(results: Results) -> list[str]:
    """Say who is missing, and what some accept that others do not."""
    missing = [f"missing: {peer}: {why.splitlines()[0]}" for peer, why in results.missing.items()]
    accepts = [
        f"{peer} as configured here accepts {' and '.join(what)}"
        for peer, what in results.accepts.items()
        if what
    ]
    return missing + accepts


def number(value: float | None, digits: int = 1) -> str:
    """Word a figure; a dash if there is none."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def outcome(verdict: Verdict) -> str:
    """Word what became of a target in one word or two."""
    if verdict.value is None:
        return "not measured"
    if verdict.is_met:
        return "met"
    return "missed" if verdict.is_missed else "within 10 %"


def _in_matrix(verdicts: Sequence[Verdict]) -> list[str]:
    """Find what is compared with more than one peer: it makes a row of the matrix."""
    compared = [verdict.what for verdict in verdicts if verdict.other]
    return [what for what in dict.fromkeys(compared) if compared.count(what) > 1]


def _matrix(verdicts: Sequence[Verdict]) -> Table:
    cells = {(verdict.what, verdict.other): _cell(verdict) for verdict in verdicts}
    rows = [
        (what, *(cells.get((what, other), NOTHING) for other in COLUMNS))
        for what in _in_matrix(verdicts)
    ]
    header = ("", *(f"vs {other}" for other in COLUMNS))
    return Table("Targets: the sidecar's figure divided by the peer's", header, rows)


def _cell(verdict: Verdict) -> str:
    if verdict.value is None:
        return f"not measured ({verdict.sign} {verdict.limit:.2f})"
    return f"{verdict.value:.2f} ({verdict.sign} {verdict.limit:.2f} {outcome(verdict)})"


def _verdict_table(verdicts: Sequence[Verdict]) -> Table:
    rows = [
        (
            verdict.what,
            verdict.other or NOTHING,
            f"{number(verdict.value, 2)} {verdict.unit}".strip(),
            f"{verdict.sign} {verdict.limit:.2f} {verdict.unit}".strip(),
            outcome(verdict),
        )
        for verdict in verdicts
    ]
    return Table("More targets", ("", "compared with", "measured", "target", "outcome"), rows)


def _workload_table(
    title: str,
    results: Results,
    peers: Sequence[str],
    read: Callable[[str, str], float | None],
    digits: int,
) -> Table:
    shown = [peer for peer in peers if any(peer in of for of in results.rounds.values())]
    rows = [
        (TITLES[workload], *(number(read(workload, peer), digits) for peer in shown))
        for workload in TITLES
        if any(read(workload, peer) is not None for peer in shown)
    ]
    return Table(title, ("", *shown), rows)


def _latency_table(results: Results, peers: Sequence[str]) -> Table:
    rows = [
        (peer, *_latencies(results, peer))
        for peer in peers
        if any(peer in results.rounds.get(workload, {}) for workload in _HOT)
    ]
    header = tuple(f"{what}, {n}" for n in (1, 32, 512) for what in ("p50", "p99"))
    return Table("Latency, ms, by connections (100 tokens)", ("", *header), rows)


def _latencies(results: Results, peer: str) -> Iterator[str]:
    for workload in _HOT:
        yield number(results.median(workload, peer, lambda r: r.p50_ms), 3)
        yield number(results.median(workload, peer, lambda r: r.p99_ms), 3)


def _memory_table(results: Results, peers: Sequence[str]) -> Table:
    rows = [(p, number(results.rss_mib[p])) for p in peers if p in results.rss_mib]
    return Table("Resident memory, MiB", ("", "after 100 tokens over 512 connections"), rows)


def _growth_table(results: Results) -> Table:
    rows = [
        (what, ", ".join(f"{at}: {value:.1f}" for at, value in points))
        for what, points in results.growth.items()
    ]
    if results.idle_mib is not None:
        rows.append(("10 000 idle connections", f"{results.idle_mib:.1f} MiB"))
    return Table("Growth: CPU per request of the sidecar, µs", ("of", "number: µs"), rows)


def _workers_table(results: Results) -> Table:
    rows = [
        (
            str(count),
            number(results.of_workers(count, lambda r: r.requests_per_s), 0),
            number(results.of_workers(count, lambda r: r.cpu_us)),
            number(results.per_cpu_s(count), 0),
            number(results.scaled(count), 2),
        )
        for count in results.workers
    ]
    header = ("workers", "requests per second", "CPU, µs", "requests per CPU second", "times one")
    return Table("Workers", header, rows, _WORKERS_NOTES)


_WORKERS_NOTES = (
    "requests per second: two cores for the workers, the load generator and the backend together",
    "times one: workers times requests per CPU second, against one; so much where each has a core",
)


def _failure_table(results: Results) -> Table:
    rows = [
        (TITLES.get(workload, workload), peer, why.splitlines()[0])
        for (workload, peer), why in results.failures.items()
    ]
    return Table("Not measured", ("", "peer", "why"), rows)
