"""What processes have used, by the kernel's own accounting. This file reads; it changes nothing."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROCESS_CPU_CLOCK = 2  # CPUCLOCK_SCHED of the kernel's posix-timers.h
_KIB_PER_MIB = 1024


def cpu_s(roots: Iterable[int]) -> float:
    """Sum the CPU time of processes and their living descendants, user and system, all threads.

    To the nanosecond: the clock of clock_getcpuclockid(3), where /proc/<pid>/stat counts in 10 ms.
    A descendant that ended between two readings is not counted; no measured program ends one.
    """
    return sum(time.clock_gettime(_clock_of(pid)) for pid in tree(roots))


def rss_mib(roots: Iterable[int]) -> float:
    """Sum the resident memory of processes and their descendants.

    Pages that processes of one tree share are counted once for each, as `ps` does.
    """
    return sum(_status_kib(pid, "VmRSS") for pid in tree(roots)) / _KIB_PER_MIB


def tree(roots: Iterable[int]) -> Iterator[int]:
    """Walk from processes to their children, parents first."""
    for pid in roots:
        yield pid
        for thread in Path(f"/proc/{pid}/task").glob("*"):
            yield from tree(_children(thread))


def _children(thread: Path) -> list[int]:
    try:
        return [int(pid) for pid in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # a thread that ended since it was listed
        return []


def _clock_of(pid: int) -> int:
    return (~pid << 3) | _PROCESS_CPU_CLOCK


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0  # a process that has ended and waits to be reaped has no memory
