"""One round: what counts as load that went wrong, and what it cost."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.measure import Load, check
from tests.bench.websockets import summarise
from tests.bench.wrk import LoadFailed, Summary

SUMMARY = Summary(10_000, 1.0, 4096, not_2xx=0, broken=0, p50_ms=1.0, p99_ms=2.0)
LOAD = Load(Path("load.lua"), connections=32, seconds=1)
REFUSED = replace(LOAD, is_refused=True)


def test_round_with_a_refusal_in_a_hundred_fails() -> None:
    """Refusals are cheaper than answers: they must not count as such."""
    with pytest.raises(LoadFailed, match="100 were not 2xx"):
        check(replace(SUMMARY, not_2xx=100), "peer", LOAD)


def test_round_of_bad_tokens_with_an_answer_in_a_hundred_fails() -> None:
    """Where all must be refused, an answer is a bad token that was let in."""
    with pytest.raises(LoadFailed, match="expected that all of 10000 requests are refused"):
        check(replace(SUMMARY, not_2xx=9_900), "peer", REFUSED)


def test_round_with_broken_connections_fails() -> None:
    """A connection that breaks makes room that others use."""
    with pytest.raises(LoadFailed, match="50 broke"):
        check(replace(SUMMARY, broken=50), "peer", LOAD)


def test_round_as_expected_passes() -> None:
    """All answered, or all refused; one in ten thousand may be lost at wrk's own end."""
    check(replace(SUMMARY, broken=1), "peer", LOAD)
    check(replace(SUMMARY, not_2xx=10_000), "peer", REFUSED)


def test_messages_are_counted_with_their_echo_as_one_request() -> None:
    """200 round trips of 1 KiB in 2 s for 10 ms of CPU."""
    counted = summarise([0.001] * 198 + [0.1] * 2, spent_s=0.01, took_s=2.0)
    assert counted.requests_per_s == 100
    assert counted.cpu_us == pytest.approx(50)
    assert counted.p50_ms == pytest.approx(1)
    assert counted.p99_ms > 90
    assert counted.mib_per_s == pytest.approx(200 / 1024 / 2)


def test_messages_without_measured_process_have_no_cost() -> None:
    """A direct connection is nobody's CPU."""
    assert summarise([0.001, 0.002], spent_s=None, took_s=1.0).cpu_us is None
