"""How many workers `auto` is."""

import os

import pytest

from sidecar.cores import quota_of, usable_cores, worker_count


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2.0),
        ("150000 100000\n", 1.5),
        ("50000 100000", 0.5),
        ("", None),
        ("100000", None),
        ("100000 0", None),
        ("nonsense here", None),
    ],
)
def test_quota_is_read_in_cores(text: str, quota: float | None) -> None:
    """What the kernel writes, and what it never should."""
    assert quota_of(text) == quota


def test_auto_is_at_least_one_and_no_more_than_the_scheduler_lets_us() -> None:
    """A container with half a core still needs a process."""
    assert 1 <= worker_count("auto") == usable_cores() <= len(os.sched_getaffinity(0))


def test_number_is_taken_as_it_is() -> None:
    """Whoever says four gets four."""
    assert worker_count(4) == 4
