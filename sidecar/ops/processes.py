"""CPU, memory and descriptors of several processes, under the names that one process has for them.

Sums, but for the time of the start. CPU time of dead workers stays in: it was spent.
"""

import resource
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

_START = "process_start_time_seconds"
_CPU = "process_cpu_seconds"


class ProcessesCollector(Collector):
    """Reads the kernel's accounts. A class because Prometheus's client asks so.

    Args:
        pids: Returns the living children, beside this process.
    """

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        """Read this process and its children, and add them up."""
        sums = {metric.name: metric for metric in _read("self")}
        for pid in self._pids():
            for metric in _read(pid):
                if metric.name in sums and metric.name != _START:
                    _add(sums[metric.name], metric.samples[0].value)
        if _CPU in sums:
            _add(sums[_CPU], _cpu_of_dead_s())
        yield from sums.values()


def _read(pid: int | str) -> Iterable[Metric]:
    return ProcessCollector(pid=lambda: pid, registry=None).collect()


def _add(metric: Metric, n: float) -> None:
    (sample,) = metric.samples
    metric.samples = [sample._replace(value=sample.value + n)]


def _cpu_of_dead_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)  # of those that were waited for
    return spent.ru_utime + spent.ru_stime
