"""The sum of what several workers count; a worker's death takes nothing away from it. Pure.

Each worker tells its counts so far; what they gained since the last time is added up. So the sum
can be sampled, drawn and scraped as if one process had counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sidecar.ops.metrics import Histogram, KeyReading, Metrics, Readings
from sidecar.ops.refusals import KEPT, Refused

Count = tuple[tuple[str, ...], float]
"""What is counted, then its labels; and how often."""

_HISTOGRAMS = ("request_s", "upstream_s")
_CONNECTIONS = {"reused": True, "new": False}
_SUM = "sum"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one worker tells of itself.

    Attributes:
        counts: Since it started.
        readings: Of this moment.
        refusals: The latest, the latest first.
        missing: What keeps it from serving, in words.
    """

    counts: tuple[Count, ...]
    readings: Readings
    refusals: tuple[Refused, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def requests(self) -> int:
        """Requests that were answered."""
        return int(sum(n for (what, *_), n in self.counts if what == "requests"))


def counts_of(metrics: Metrics) -> tuple[Count, ...]:
    """Return all counts in a form that travels between processes."""
    counts: dict[tuple[str, ...], float] = {}
    for (method, code, route), n in metrics.requests.items():
        counts["requests", method, str(code), route] = n
    for what, counted in (("decisions", metrics.decisions), ("reported", metrics.reported)):
        counts |= {(what, *labels): n for labels, n in counted.items()}
    counts |= {("failures", reason): n for reason, n in metrics.failures.items()}
    for what, durations in zip(_HISTOGRAMS, _histograms(metrics), strict=True):
        counts |= {(what, str(bucket)): n for bucket, n in enumerate(durations.counts)}
        counts[what, _SUM] = durations.sum_s
    for what, is_reused in _CONNECTIONS.items():
        counts["upstream_requests", what] = metrics.upstream_requests[is_reused]
    counts["dropped_fields",] = metrics.dropped_fields
    return tuple(counts.items())


class Totals:
    """Adds up what workers tell. A class because it remembers what each has told before.

    Attributes:
        metrics: The counts of all workers, dead ones included.
    """

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._latest: dict[int, Snapshot] = {}
        self._departed = Readings()
        self._old_refusals: tuple[Refused, ...] = ()

    def note(self, pid: int, told: Snapshot) -> None:
        """Take what a worker tells; what it told before must have been noted before."""
        before = self._latest.get(pid)
        known = dict(before.counts) if before is not None else {}
        for what, n in told.counts:
            gained = n - known.get(what, 0)
            if gained:
                _add(self.metrics, what, gained)
        self._latest[pid] = told

    def bury(self, pid: int) -> None:
        """Keep a dead worker's counts and refusals, and nothing else of it."""
        told = self._latest.pop(pid, None)
        if told is not None:
            self._departed = sum_readings([self._departed, _counters_of(told.readings)])
            self._old_refusals = _latest_of([self._old_refusals, told.refusals])

    def latest(self, pid: int) -> Snapshot | None:
        """Return what a living worker told last; None if it never did."""
        return self._latest.get(pid)

    def readings(self) -> Readings:
        """Return the sum of the living workers' readings, with the dead ones' counts."""
        living = [told.readings for told in self._latest.values()]
        pools = {keys.pool_id for told in living for keys in told.keys}
        departed = [keys for keys in self._departed.keys if keys.pool_id in pools]
        return sum_readings([*living, replace(self._departed, keys=tuple(departed))])

    def refusals(self) -> tuple[Refused, ...]:
        """Return the latest of all workers, the latest first."""
        told = (snapshot.refusals for snapshot in self._latest.values())
        return _latest_of([self._old_refusals, *told])


def sum_readings(all_readings: Sequence[Readings]) -> Readings:
    """Add up readings; keys are as old as the oldest that somebody still holds."""
    keys: dict[str, KeyReading] = {}
    for readings in all_readings:
        for held in readings.keys:
            keys[held.pool_id] = (
                _together(keys[held.pool_id], held) if held.pool_id in keys else held
            )
    return Readings(
        in_flight=sum(r.in_flight for r in all_readings),
        connections=sum(r.connections for r in all_readings),
        upstream_open=sum(r.upstream_open for r in all_readings),
        upstream_idle=sum(r.upstream_idle for r in all_readings),
        cache_entries=sum(r.cache_entries for r in all_readings),
        cache_hits=sum(r.cache_hits for r in all_readings),
        cache_misses=sum(r.cache_misses for r in all_readings),
        keys=tuple(keys.values()),
    )


def _together(one: KeyReading, other: KeyReading) -> KeyReading:
    ages = [age for age in (one.age_s, other.age_s) if age is not None]
    return KeyReading(
        pool_id=one.pool_id,
        kids=tuple(dict.fromkeys((*one.kids, *other.kids))),
        age_s=max(ages, default=None),
        fetches=one.fetches + other.fetches,
        failures=one.failures + other.failures,
    )


def _counters_of(readings: Readings) -> Readings:
    keys = (replace(held, kids=(), age_s=None) for held in readings.keys)
    return Readings(
        cache_hits=readings.cache_hits, cache_misses=readings.cache_misses, keys=tuple(keys)
    )


def _latest_of(refusals: Iterable[Sequence[Refused]]) -> tuple[Refused, ...]:
    merged = (refused for told in refusals for refused in told)
    return tuple(sorted(merged, key=lambda refused: refused.at, reverse=True)[:KEPT])


def _histograms(metrics: Metrics) -> tuple[Histogram, Histogram]:
    return metrics.request_s, metrics.upstream_s


def _add(metrics: Metrics, what: tuple[str, ...], n: float) -> None:
    match what:
        case ("requests", method, code, route):
            metrics.requests[method, int(code), route] += int(n)
        case ("decisions", result, reason, token_use, pool):
            metrics.decisions[result, reason, token_use, pool] += int(n)
        case ("reported", route, reason):
            metrics.reported[route, reason] += int(n)
        case ("failures", reason):
            metrics.failures[reason] += int(n)
        case ("upstream_requests", connection):
            metrics.upstream_requests[_CONNECTIONS[connection]] += int(n)
        case ("dropped_fields",):
            metrics.dropped_fields += int(n)
        case (histogram, bucket):
            _add_durations(_histograms(metrics)[_HISTOGRAMS.index(histogram)], bucket, n)


def _add_durations(durations: Histogram, bucket: str, n: float) -> None:
    if bucket == _SUM:
        durations.sum_s += n
    else:
        durations.counts[int(bucket)] += int(n)
