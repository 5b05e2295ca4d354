"""Targets: when one is met, nearly met, and missed."""

import pytest

from tests.bench.results import Results
from tests.bench.targets import TARGETS, Verdict, judge
from tests.unit.bench.conftest import made_round


def _verdict(results: Results, what: str, other: str = "") -> Verdict:
    return next(v for v in judge(results) if (v.what, v.other) == (what, other))


def test_ratio_is_of_medians(results: Results) -> None:
    """40 µs, the median of three rounds, to Envoy's 100."""
    verdict = _verdict(results, "hot, CPU per request", "Envoy")
    assert verdict.value == pytest.approx(0.40)
    assert verdict.is_met
    assert not verdict.is_missed


def test_ratio_within_the_tolerance_is_neither_met_nor_missed(results: Results) -> None:
    """67 MiB to 70 is more than 0.9, and less than a tenth more."""
    results.rss_mib["sidecar"] = 67.0
    verdict = _verdict(results, "RSS", "Envoy")
    assert not verdict.is_met
    assert not verdict.is_missed


def test_ratio_beyond_the_tolerance_is_missed(results: Results) -> None:
    """0.90 of 0.80 is more than a tenth too much."""
    assert _verdict(results, "cold, CPU per request", "Envoy").is_missed


@pytest.mark.parametrize(("value", "is_missed"), [(0.70, False), (0.64, False), (0.63, True)])
def test_floor_is_missed_only_from_below(value: float, is_missed: bool) -> None:  # noqa: FBT001 - a case
    """At least 0.7, with a tenth to spare."""
    assert Verdict("", value, 0.7, "≥").is_missed is is_missed


def test_peer_that_is_missing_is_not_judged(results: Results) -> None:
    """Nothing measured is neither met nor missed."""
    verdict = _verdict(results, "hot, CPU per request", "HAProxy")
    assert verdict.value is None
    assert not verdict.is_met
    assert not verdict.is_missed


def test_added_latency_is_what_is_more_than_direct(results: Results) -> None:
    """1.0 ms and 1.5 ms, both less the 0.5 ms of a direct call."""
    results.rounds["hot-1"] = results.rounds["hot"]
    assert _verdict(results, "added p50 at 1 connection", "Envoy").value == pytest.approx(0.5)


def test_peer_that_adds_nothing_is_not_divided_by(results: Results) -> None:
    """On a noisy machine a proxy may seem faster than none."""
    results.rounds["hot-1"] = results.rounds["hot"]
    results.rounds["hot-1"]["Envoy"] = results.rounds["hot"]["direct"]
    assert _verdict(results, "added p50 at 1 connection", "Envoy").value is None


def test_curve_is_judged_by_its_highest_over_its_lowest_point(results: Results) -> None:
    """40 to 44 µs is flat within 10 % either way."""
    verdict = _verdict(results, "CPU, 10 to 10 000 users")
    assert verdict.value == pytest.approx(1.1)
    assert verdict.is_met


def test_targets_are_those_of_the_issue() -> None:
    """Fifteen ratios of the table, large responses, and Flask."""
    assert len(TARGETS) == 17


def test_workers_are_judged_by_what_a_second_of_cpu_is_worth(results: Results) -> None:
    """Two that need 44 µs where one needs 40 carry 1.82 times as much on a core each."""
    results.workers = {1: [made_round(40.0)], 2: [made_round(44.0)]}
    verdict = _verdict(results, "2 workers on 2 free cores")
    assert verdict.value == pytest.approx(2 * 40 / 44)
    assert (verdict.sign, verdict.is_met) == ("≥", True)
    results.workers[2] = [made_round(50.0)]
    assert not _verdict(results, "2 workers on 2 free cores").is_met


def test_workers_that_were_not_measured_are_not_judged(results: Results) -> None:
    """Half of a comparison is none."""
    results.workers = {2: [made_round(44.0)]}
    assert _verdict(results, "2 workers on 2 free cores").value is None
