"""What is counted, and how it is shown to Prometheus.

Counting is a few additions to plain integers, 1 µs for each request; names, labels and sums are
made when somebody reads them. Every label takes its values from the settings or from this program.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sidecar import __version__
from sidecar.errors import (
    KeysUnavailable,
    MultipleTokens,
    Overloaded,
    PolicyError,
    RevocationUnknown,
    SidecarError,
    TokenError,
)
from sidecar.model import Anonymous, RequestRecord

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""From what a proxy adds to a fast backend up to the time limit of a slow one."""

NO_ROUTE = "none"
"""Stands for requests that could not be read so far that a rule could be looked for."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that are forwarded; any other is counted as `other`."""


def _reasons(error: type[SidecarError]) -> set[str]:
    own = {error.reason} if hasattr(error, "reason") else set()
    return own.union(*map(_reasons, error.__subclasses__()))


REFUSALS = frozenset(
    {
        *_reasons(TokenError),
        *_reasons(PolicyError),
        KeysUnavailable.reason,
        RevocationUnknown.reason,
        MultipleTokens.reason,
    }
)
"""Reasons that are a decision about the caller; the others are about the request or the backend."""

Decision = tuple[str, str, str, str]
"""Result (`authenticated`, `anonymous`, `refused`), reason, token use, pool id."""


@dataclass(slots=True)
class Histogram:
    """Durations by size. A class because it grows with every request.

    Attributes:
        counts: Of each bucket alone, the last one being for all above the largest bound.
        sum_s: Of all durations.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.sum_s += seconds


@dataclass(frozen=True, slots=True)
class KeyReading:
    """The keys of one pool at a moment.

    Attributes:
        pool_id: The pool.
        kids: Names of the keys in use; empty if there are none.
        age_s: Since they were fetched last; None if they never were.
        fetches: Begun so far.
        failures: Fetches that gave no usable key set.
    """

    pool_id: str
    kids: tuple[str, ...]
    age_s: float | None
    fetches: int
    failures: int


@dataclass(frozen=True, slots=True)
class Readings:
    """What other rooms count or hold, at a moment.

    Attributes:
        in_flight: Requests that have begun and are not over.
        connections: Of clients.
        upstream_open: Connections to the backend.
        upstream_idle: Those of them that carry no request.
        cache_entries: Outcomes remembered.
        cache_hits: Tokens that were found among them.
        cache_misses: Tokens that were not.
        reloads: Changes of the settings in force.
        failed_reloads: Changes that were refused.
        keys: Of every pool.
        workers: Processes that serve.
        worker_deaths: Those that ended without being told to.
    """

    in_flight: int = 0
    connections: int = 0
    upstream_open: int = 0
    upstream_idle: int = 0
    cache_entries: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    reloads: int = 0
    failed_reloads: int = 0
    keys: tuple[KeyReading, ...] = ()
    workers: int = 1
    worker_deaths: int = 0


class Metrics:
    """Counts requests. A class because counts live as long as the process."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, int, str], int] = defaultdict(int)
        self.decisions: defaultdict[Decision, int] = defaultdict(int)
        self.reported: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.failures: defaultdict[str, int] = defaultdict(int)
        self.request_s = Histogram()
        self.upstream_s = Histogram()
        self.upstream_requests = {True: 0, False: 0}
        self.dropped_fields = 0

    def observe(self, record: RequestRecord) -> None:
        """Count a request that is over."""
        method = record.method if record.method in METHODS else "other"
        self.requests[method, record.status, record.route or NO_ROUTE] += 1
        decision = decision_of(record)
        if decision is not None:
            self.decisions[decision] += 1
        self.request_s.add(record.duration_s)
        if record.upstream_s >= 0:
            self.upstream_s.add(record.upstream_s)
            self.upstream_requests[record.is_upstream_reused] += 1
        self.dropped_fields += record.dropped_fields
        if record.reason and record.reason not in REFUSALS:
            self.failures[record.reason] += 1
        if record.would_refuse:
            self.reported[record.route, record.would_refuse] += 1

    @property
    def overloads(self) -> int:
        """Requests refused because a limit was reached."""
        return self.failures.get(Overloaded.reason, 0)


def decision_of(record: RequestRecord) -> Decision | None:
    """Return what was decided about the caller; None if it did not come to that."""
    if record.reason in REFUSALS:
        return "refused", record.reason, "", record.pool_id
    if not record.route:
        return None
    caller = record.caller
    if isinstance(caller, Anonymous):
        return "anonymous", caller.reason, "", caller.pool_id
    return "authenticated", "", caller.token_use, caller.pool_id


class Exposition(Collector):
    """Shows counts and readings in Prometheus's text format. A class because the client asks so.

    Args:
        metrics: The counts.
        read: Takes the readings.
        processes: Shows CPU and memory; those of this process alone if None.
    """

    def __init__(
        self,
        metrics: Metrics,
        read: Callable[[], Readings],
        processes: Collector | None = None,
    ) -> None:
        self._metrics = metrics
        self._read = read
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(processes or ProcessCollector(registry=None))
        self._registry.register(self)

    def text(self) -> bytes:
        """Write all metrics as they are now."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance: there is one registry, and it holds only us."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Make the metrics of this moment."""
        readings = self._read()
        yield InfoMetricFamily("sidecar_build", "What runs here.", {"version": __version__})
        yield from _counted(self._metrics)
        yield from _read_elsewhere(readings)
        yield from _keys(readings.keys)


def _counted(metrics: Metrics) -> Iterator[Metric]:
    requests = _counter("requests", "Requests by what was answered.", "method", "code", "route")
    for (method, status, route), count in metrics.requests.items():
        requests.add_metric((method, str(status), route), count)
    yield requests
    labels = ("result", "reason", "token_use", "pool")
    decisions = _counter("auth_decisions", "What was decided about callers.", *labels)
    for decision, count in metrics.decisions.items():
        decisions.add_metric(decision, count)
    yield decisions
    failures = _counter("failures", "Requests refused or failed for no fault of a token.", "reason")
    for reason, count in metrics.failures.items():
        failures.add_metric((reason,), count)
    yield failures
    reported = _counter(
        "report_only", "Requests that a rule would refuse if it did.", "route", "reason"
    )
    for (route, reason), count in metrics.reported.items():
        reported.add_metric((route, reason), count)
    yield reported
    yield _histogram("request", "From a request's head to its answer's end.", metrics.request_s)
    yield _histogram("upstream", "From asking the backend to its head.", metrics.upstream_s)
    asked = _counter("upstream_requests", "Requests the backend answered.", "connection")
    asked.add_metric(("reused",), metrics.upstream_requests[True])
    asked.add_metric(("new",), metrics.upstream_requests[False])
    yield asked
    dropped = "Fields removed because a client may not send them."
    yield _single(_counter("dropped_fields", dropped), metrics.dropped_fields)
    overloads = "Requests refused because a limit was reached."
    yield _single(_counter("overload", overloads), metrics.overloads)


def _read_elsewhere(readings: Readings) -> Iterator[Metric]:
    yield _single(_gauge("in_flight", "Requests being handled."), readings.in_flight)
    yield _single(_gauge("connections", "Connections of clients."), readings.connections)
    pool = _gauge("upstream_connections", "Connections to the backend.", "state")
    pool.add_metric(("idle",), readings.upstream_idle)
    pool.add_metric(("busy",), readings.upstream_open - readings.upstream_idle)
    yield pool
    yield _single(_gauge("token_cache_entries", "Outcomes remembered."), readings.cache_entries)
    lookups = _counter("token_cache_lookups", "Tokens looked up in the cache.", "result")
    lookups.add_metric(("hit",), readings.cache_hits)
    lookups.add_metric(("miss",), readings.cache_misses)
    yield lookups
    reloads = _counter("settings_reloads", "Changes of the settings by SIGHUP.", "result")
    reloads.add_metric(("applied",), readings.reloads)
    reloads.add_metric(("refused",), readings.failed_reloads)
    yield reloads
    yield _single(_gauge("workers", "Processes that serve."), readings.workers)
    deaths = _counter("worker_deaths", "Workers that ended without being told to.")
    yield _single(deaths, readings.worker_deaths)


def _keys(pools: Iterable[KeyReading]) -> Iterator[Metric]:
    keys = _gauge("jwks_keys", "Keys in use.", "pool")
    age = _gauge("jwks_age_seconds", "Since the keys were fetched last.", "pool")
    fetches = _counter("jwks_fetches", "Fetches of keys.", "pool")
    failures = _counter("jwks_fetch_failures", "Fetches that gave no usable key set.", "pool")
    for pool in pools:
        labels = (pool.pool_id,)
        keys.add_metric(labels, len(pool.kids))
        if pool.age_s is not None:
            age.add_metric(labels, pool.age_s)
        fetches.add_metric(labels, pool.fetches)
        failures.add_metric(labels, pool.failures)
    yield from (keys, age, fetches, failures)


def _counter(name: str, meaning: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"sidecar_{name}", meaning, labels=labels)


def _gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sidecar_{name}", meaning, labels=labels)


def _single(
    family: CounterMetricFamily | GaugeMetricFamily, value: float
) -> CounterMetricFamily | GaugeMetricFamily:
    family.add_metric((), value)
    return family


def _histogram(name: str, meaning: str, durations: Histogram) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"sidecar_{name}_seconds", meaning)
    buckets, below = [], 0
    for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), durations.counts, strict=True):
        below += count
        buckets.append((bound, float(below)))
    family.add_metric((), buckets, durations.sum_s)
    return family
