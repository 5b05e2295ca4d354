"""CPU and memory of several processes, as one."""

import os

from prometheus_client.core import Metric

from sidecar.ops.processes import ProcessesCollector


def values(*pids: int) -> dict[str, float]:
    """Read them by name."""
    collected: list[Metric] = list(ProcessesCollector(lambda: pids).collect())
    return {metric.name: metric.samples[0].value for metric in collected}


def test_sums_are_of_all_processes_but_the_start_is_our_own() -> None:
    """This process twice is twice this process."""
    alone, doubled = values(), values(os.getpid())
    assert doubled["process_open_fds"] >= 2 * (alone["process_open_fds"] - 2)
    assert doubled["process_resident_memory_bytes"] > 1.5 * alone["process_resident_memory_bytes"]
    assert doubled["process_start_time_seconds"] == alone["process_start_time_seconds"]
    assert doubled["process_cpu_seconds"] > alone["process_cpu_seconds"]


def test_process_that_is_no_more_adds_nothing() -> None:
    """A worker may die between two lines of ours."""
    assert values(2**22 + 1)["process_max_fds"] == values()["process_max_fds"]
