"""What is counted of a request, and what Prometheus reads."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sidecar.model import Anonymous, Identity, RequestRecord
from sidecar.ops.exposition import Exposition
from sidecar.ops.metrics import KeyReading, Metrics, Readings
from tests.support.cost import calls_of

POOL = "eu-west-1_x"
IDENTITY = Identity((), frozenset(), frozenset(), "access", POOL, "kid", 1.0)


def exposed(metrics: Metrics, readings: Readings | None = None) -> dict[str, float]:
    """Return all samples as Prometheus sees them, by name and labels."""
    text = Exposition(metrics, lambda: readings or Readings()).text().decode()
    return {
        f"{sample.name}{sorted(sample.labels.items()) if sample.labels else ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: dict[str, float], name: str, **labels: str) -> float:
    """Return one sample's value, 0 if it is not there."""
    return samples.get(f"{name}{sorted(labels.items()) if labels else ''}", 0.0)


def record(**changes: object) -> RequestRecord:
    """Make a request that went well, but for the changes."""
    made = RequestRecord("GET", 0.0, "/a", caller=IDENTITY, status=200, route="/api/*")
    for name, changed in changes.items():
        setattr(made, name, changed)
    return made


def observed(*records: RequestRecord) -> Metrics:
    """Count requests."""
    metrics = Metrics()
    for each in records:
        metrics.observe(each)
    return metrics


def test_request_is_counted_by_method_status_and_route() -> None:
    """What was asked and answered is one counter."""
    samples = exposed(observed(record(), record(), record(status=404)))
    labels = {"method": "GET", "route": "/api/*"}
    assert value(samples, "sidecar_requests_total", code="200", **labels) == 2
    assert value(samples, "sidecar_requests_total", code="404", **labels) == 1


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({}, {"result": "authenticated", "reason": "", "token_use": "access", "pool": POOL}),
        (
            {"caller": Anonymous()},
            {"result": "anonymous", "reason": "", "token_use": "", "pool": ""},
        ),
        (
            {"caller": Anonymous("token_expired", "kid", POOL)},
            {"result": "anonymous", "reason": "token_expired", "token_use": "", "pool": POOL},
        ),
        (
            {"caller": Anonymous(), "reason": "token_expired", "pool_id": POOL, "status": 401},
            {"result": "refused", "reason": "token_expired", "token_use": "", "pool": POOL},
        ),
        (
            {"caller": Anonymous(), "reason": "multiple_tokens", "status": 400},
            {"result": "refused", "reason": "multiple_tokens", "token_use": "", "pool": ""},
        ),
        (
            {"reason": "upstream_timeout", "status": 504},
            {"result": "authenticated", "reason": "", "token_use": "access", "pool": POOL},
        ),
    ],
)
def test_decision_is_counted_once(changes: dict[str, object], labels: dict[str, str]) -> None:
    """Result, reason, token use and pool say what became of a caller."""
    samples = exposed(observed(record(**changes)))
    decisions = [n for n in samples if n.startswith("sidecar_auth_decisions_total")]
    assert len(decisions) == 1
    assert value(samples, "sidecar_auth_decisions_total", **labels) == 1


def test_request_that_never_met_a_rule_has_no_decision() -> None:
    """Unreadable bytes are counted as such, not as anonymous callers."""
    samples = exposed(observed(record(method="", route="", status=400, reason="request_malformed")))
    assert not [name for name in samples if name.startswith("sidecar_auth_decisions_total")]
    assert value(samples, "sidecar_failures_total", reason="request_malformed") == 1
    labels = {"method": "other", "code": "400", "route": "none"}
    assert value(samples, "sidecar_requests_total", **labels) == 1


def test_made_up_methods_share_one_label() -> None:
    """A client cannot make time series."""
    metrics = observed(*(record(method=f"M{n}", status=501) for n in range(50)))
    assert len(metrics.requests) == 1


def test_durations_fill_cumulative_buckets() -> None:
    """A duration on a bound belongs to its bucket; all are in the last."""
    samples = exposed(observed(*(record(duration_s=s) for s in (0.001, 0.002, 0.3, 90.0))))
    name = "sidecar_request_seconds"
    assert value(samples, f"{name}_bucket", le="0.001") == 1
    assert value(samples, f"{name}_bucket", le="0.0025") == 2
    assert value(samples, f"{name}_bucket", le="60.0") == 3
    assert value(samples, f"{name}_bucket", le="+Inf") == value(samples, f"{name}_count") == 4
    assert value(samples, f"{name}_sum") == pytest.approx(90.303)


def test_backend_is_counted_only_where_it_was_asked() -> None:
    """A refusal says nothing about the backend's speed."""
    metrics = observed(
        record(), record(upstream_s=0.2), record(upstream_s=0.1, is_upstream_reused=True)
    )
    samples = exposed(metrics)
    assert value(samples, "sidecar_upstream_seconds_count") == 2
    assert value(samples, "sidecar_upstream_requests_total", connection="reused") == 1
    assert value(samples, "sidecar_upstream_requests_total", connection="new") == 1


def test_reports_overloads_and_dropped_fields_are_counted() -> None:
    """Each has a counter of its own."""
    samples = exposed(
        observed(
            record(would_refuse="token_missing", dropped_fields=2),
            record(reason="overloaded", status=503, route=""),
        )
    )
    labels = {"route": "/api/*", "reason": "token_missing"}
    assert value(samples, "sidecar_report_only_total", **labels) == 1
    assert value(samples, "sidecar_dropped_fields_total") == 2
    assert value(samples, "sidecar_overload_total") == 1


def test_readings_of_other_rooms_are_shown() -> None:
    """Keys without an age were never fetched, and show none."""
    keys = (KeyReading(POOL, ("a", "b"), 12.5, 3, 1), KeyReading("other", (), None, 2, 2))
    readings = Readings(1, 2, 5, 3, 10, 7, 8, 1, 2, keys)
    samples = exposed(Metrics(), readings)
    assert value(samples, "sidecar_in_flight") == 1
    assert value(samples, "sidecar_connections") == 2
    assert value(samples, "sidecar_upstream_connections", state="busy") == 2
    assert value(samples, "sidecar_token_cache_lookups_total", result="hit") == 7
    assert value(samples, "sidecar_settings_reloads_total", result="refused") == 2
    assert value(samples, "sidecar_jwks_keys", pool=POOL) == 2
    assert value(samples, "sidecar_jwks_age_seconds", pool=POOL) == 12.5
    assert not [n for n in samples if n.startswith("sidecar_jwks_age") and "other" in n]
    assert value(samples, "sidecar_jwks_fetch_failures_total", pool="other") == 2


def test_counting_a_request_takes_few_steps_whatever_was_counted_before() -> None:
    """Plain additions: counters are written out when they are read, not when they are raised."""
    each = record(upstream_s=0.002, duration_s=0.003)
    metrics = Metrics()
    first = calls_of(lambda: metrics.observe(each))
    for number in range(500):
        metrics.observe(record(route=f"/{number}/*", status=number))
    assert calls_of(lambda: metrics.observe(each)) <= first <= 12
