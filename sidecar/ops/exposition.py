"""How counts and readings are shown to Prometheus. This file counts nothing."""

from collections.abc import Callable, Iterable, Iterator

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
from sidecar.ops.metrics import BUCKETS_S, Histogram, KeyReading, Metrics, Readings


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
