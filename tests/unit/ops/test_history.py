"""What the admin page draws: differences between counts, for a quarter of an hour."""

import pytest

from sidecar.model import Anonymous, Identity, RequestRecord
from sidecar.ops.history import KEPT, History
from sidecar.ops.metrics import KeyReading, Metrics

IDENTITY = Identity((), frozenset(), frozenset(), "access", "eu-west-1_x", "kid", 1.0)


def record(duration_s: float = 0.004, **changes: object) -> RequestRecord:
    """Make a request that went well, but for the changes."""
    made = RequestRecord("GET", 0.0, caller=IDENTITY, status=200, route="default")
    made.duration_s = duration_s
    for name, changed in changes.items():
        setattr(made, name, changed)
    return made


def test_sample_holds_what_happened_since_the_last() -> None:
    """Counts that were there before are not counted again."""
    metrics = Metrics()
    metrics.observe(record())
    history = History(metrics)
    history.sample(1.0, ())
    metrics.observe(record())
    metrics.observe(record(status=502, reason="upstream_broken"))
    metrics.observe(record(caller=Anonymous("token_expired")))
    history.sample(2.0, ())
    first, second = history.samples
    assert (first.requests, second.requests, second.errors) == (1, 3, 1)
    assert second.outcomes == {
        "authenticated": 2,
        "anonymous token_expired": 1,
        "failed upstream_broken": 1,
    }


def test_sample_without_requests_has_no_percentiles() -> None:
    """Nothing is drawn where nothing was."""
    history = History(Metrics())
    history.sample(1.0, ())
    assert (history.samples[0].request_ms, history.samples[0].upstream_ms) == ((), ())


def test_percentiles_lie_in_the_bucket_of_the_durations() -> None:
    """Between 2.5 and 5 ms, for durations of 4."""
    metrics = Metrics()
    history = History(metrics)
    for _ in range(100):
        metrics.observe(record(upstream_s=0.2))
    history.sample(1.0, ())
    assert all(2.5 <= ms <= 5 for ms in history.samples[0].request_ms)
    assert all(100 <= ms <= 250 for ms in history.samples[0].upstream_ms)
    assert sorted(history.samples[0].request_ms) == list(history.samples[0].request_ms)


def test_duration_beyond_the_last_bound_counts_as_the_bound() -> None:
    """An estimate has to end somewhere."""
    metrics = Metrics()
    history = History(metrics)
    metrics.observe(record(duration_s=500.0))
    history.sample(1.0, ())
    assert history.samples[0].request_ms[0] == pytest.approx(60_000)


def test_history_is_bounded() -> None:
    """Weeks of running hold no more than a quarter of an hour."""
    history = History(Metrics())
    for at in range(KEPT + 20):
        history.sample(float(at), ())
    assert (len(history.samples), history.samples[0].at) == (KEPT, 20.0)


def test_key_is_known_since_it_was_first_seen() -> None:
    """A rotation shows as a young key; a key that left is forgotten."""
    history = History(Metrics())
    history.sample(1.0, [KeyReading("p", ("a",), 0.0, 1, 0)])
    history.sample(2.0, [KeyReading("p", ("a", "b"), 0.0, 1, 0)])
    assert history.key_seen_at == {("p", "a"): 1.0, ("p", "b"): 2.0}
    history.sample(3.0, [KeyReading("p", ("b",), 0.0, 1, 0)])
    assert history.key_seen_at == {("p", "b"): 2.0}
