"""What several workers count, added up."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import TypeAdapter

from sidecar.model import Anonymous, Identity, RequestRecord
from sidecar.ops.metrics import KeyReading, Metrics, Readings
from sidecar.ops.refusals import KEPT, Refused
from sidecar.ops.totals import Snapshot, Totals, counts_of

IDENTITY = Identity((), frozenset(), frozenset(), "access", "pool", "kid", 1.0)
KEYS = KeyReading("pool", ("a",), 10.0, 3, 1)


def worker(*changes: Mapping[str, object]) -> Metrics:
    """Return what a worker has counted that carried such requests."""
    metrics = Metrics()
    for change in changes:
        record = RequestRecord("GET", 0.0, "/a", caller=IDENTITY, status=200, route="/api/*")
        for name, value in change.items():
            setattr(record, name, value)
        metrics.observe(record)
    return metrics


def told(metrics: Metrics, **more: object) -> Snapshot:
    """Send counts to another process and back."""
    adapter = TypeAdapter(Snapshot)
    snapshot = Snapshot(counts_of(metrics), Readings())
    snapshot = replace(snapshot, **more)  # type: ignore[arg-type] # named by the test
    return adapter.validate_json(adapter.dump_json(snapshot))


EVERYTHING: tuple[Mapping[str, object], ...] = (
    {"duration_s": 0.002, "upstream_s": 0.001, "is_upstream_reused": True, "dropped_fields": 2},
    {"duration_s": 90.0, "upstream_s": 0.3},
    {"caller": Anonymous(), "reason": "token_expired", "pool_id": "pool", "status": 401},
    {"route": "", "reason": "request_malformed", "status": 400, "method": "BREW"},
    {"would_refuse": "group_missing"},
)


def assert_same(one: Metrics, other: Metrics) -> None:
    """Hold all counts of two against each other."""
    assert dict(counts_of(one)) == dict(counts_of(other))


def test_everything_counted_travels_and_comes_back() -> None:
    """No kind of count is lost on the way."""
    totals, metrics = Totals(), worker(*EVERYTHING)
    totals.note(1, told(metrics))
    assert_same(totals.metrics, metrics)
    assert len(dict(counts_of(metrics))) > 30


def test_workers_add_up() -> None:
    """Two that carried five requests each are one that carried ten."""
    totals = Totals()
    totals.note(1, told(worker(*EVERYTHING)))
    totals.note(2, told(worker(*EVERYTHING)))
    assert_same(totals.metrics, worker(*EVERYTHING, *EVERYTHING))


def test_what_was_told_before_is_not_counted_again() -> None:
    """Counts are since the start; what they gained is new."""
    totals = Totals()
    for count in range(len(EVERYTHING) + 1):
        totals.note(1, told(worker(*EVERYTHING[:count])))
    assert_same(totals.metrics, worker(*EVERYTHING))


def test_death_takes_no_count_away_and_the_next_worker_starts_from_nothing() -> None:
    """No counter ever goes backwards, whoever has the pid then."""
    totals = Totals()
    totals.note(1, told(worker(*EVERYTHING)))
    totals.bury(1)
    assert_same(totals.metrics, worker(*EVERYTHING))
    totals.note(1, told(worker(EVERYTHING[0])))
    assert_same(totals.metrics, worker(*EVERYTHING, EVERYTHING[0]))


def test_readings_of_the_living_add_up() -> None:
    """Gauges are sums; keys are those that anybody holds, as old as the oldest."""
    totals = Totals()
    one = Readings(1, 2, 3, 1, 5, 6, 7, keys=(KEYS,))
    other = Readings(10, 20, 30, 10, 50, 60, 70, keys=(KeyReading("pool", ("b",), 20.0, 1, 0),))
    totals.note(1, told(Metrics(), readings=one))
    totals.note(2, told(Metrics(), readings=other))
    keys = KeyReading("pool", ("a", "b"), 20.0, 4, 1)
    assert totals.readings() == Readings(11, 22, 33, 11, 55, 66, 77, keys=(keys,))


def test_gauges_die_with_a_worker_and_counters_do_not() -> None:
    """Its connections are gone; its lookups and fetches have happened."""
    totals = Totals()
    for pid in (1, 2, 3):
        totals.note(pid, told(Metrics(), readings=Readings(1, 2, 3, 1, 5, 6, 7, keys=(KEYS,))))
    totals.bury(1)
    totals.bury(2)
    keys = KeyReading("pool", ("a",), 10.0, 9, 3)
    assert totals.readings() == Readings(1, 2, 3, 1, 5, 18, 21, keys=(keys,))


def test_pool_that_no_living_worker_has_is_not_shown() -> None:
    """A change of the settings took it away, as it does from one process."""
    totals = Totals()
    totals.note(1, told(Metrics(), readings=Readings(keys=(KEYS,))))
    totals.bury(1)
    totals.note(2, told(Metrics(), readings=Readings(keys=(replace(KEYS, pool_id="new"),))))
    assert [keys.pool_id for keys in totals.readings().keys] == ["new"]


def test_keys_that_were_never_fetched_have_no_age() -> None:
    """Neither worker has any; a sum of nothings is none."""
    totals = Totals()
    for pid in (1, 2):
        none = KeyReading("pool", (), None, 1, 1)
        totals.note(pid, told(Metrics(), readings=Readings(keys=(none,))))
    assert totals.readings().keys == (KeyReading("pool", (), None, 2, 2),)


def refused(at: float) -> Refused:
    """Make a refusal."""
    return Refused(at, f"id-{at}", "GET", "/a", "default", 401, "token_expired", "kid", "pool")


def test_latest_refusals_of_all_are_in_the_order_of_time() -> None:
    """Whoever refused; a dead worker's stay until newer ones displace them."""
    totals = Totals()
    totals.note(1, told(Metrics(), refusals=(refused(5.0), refused(1.0))))
    totals.note(2, told(Metrics(), refusals=(refused(4.0), refused(2.0))))
    totals.bury(1)
    assert [each.at for each in totals.refusals()] == [5.0, 4.0, 2.0, 1.0]
    many = tuple(refused(100.0 + n) for n in reversed(range(KEPT)))
    totals.note(2, told(Metrics(), refusals=many))
    assert totals.refusals() == many
