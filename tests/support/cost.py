"""What a piece of work costs, measured so that the neighbours on a machine make no difference."""

import sys
import time
from collections.abc import Callable
from typing import Any

MAX_TRIES = 50


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls that a piece of work makes, those into C included."""
    calls: list[str] = []

    def note(_frame: object, event: str, _argument: Any) -> None:
        calls.append(event)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return sum(event in {"call", "c_call"} for event in calls)


def costs_less(than_s: float, work: Callable[[], object]) -> bool:
    """Return whether a piece of work can be done in less CPU time than so many seconds.

    It is tried again if it took more, since a cold cache or a neighbour may be why.
    """
    for _ in range(MAX_TRIES):
        start = time.thread_time()
        work()
        if time.thread_time() - start < than_s:
            return True
    return False
