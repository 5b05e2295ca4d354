"""How many processor cores this process may use, which is what `workers = "auto"` stands for."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sidecar.setting_values import MAX_WORKERS

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
_UNIFIED = "0::"  # begins the line of cgroup v2, see cgroups(7)


def worker_count(wanted: int | str) -> int:
    """Return how many workers the setting asks for, be it a number or `auto`."""
    return wanted if isinstance(wanted, int) else min(usable_cores(), MAX_WORKERS)


def usable_cores() -> int:
    """Count the cores that this process may run on, as far as its container's quota lets it.

    A quota of one core and a half is one: a second worker would be held back half of the time, and
    the requests on it with it.
    """
    quotas = [quota for text in _quota_texts() if (quota := quota_of(text)) is not None]
    return max(1, int(min([_scheduled(), *quotas])))


def quota_of(text: str) -> float | None:
    """Read the content of `cpu.max`: microseconds of CPU in each period, or `max`.

    Returns:
        The quota in cores; None if there is none.
    """
    quota, _, period = text.strip().partition(" ")
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None
    return int(quota) / int(period)


def _scheduled() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota_texts() -> Iterator[str]:
    """Read the quota of our control group and of each above it; the tightest one holds."""
    for group in _groups():
        try:
            yield (_CGROUPS / group / "cpu.max").read_text(encoding="ascii")
        except OSError:  # the root group has none, nor has anything before cgroup v2
            continue


def _groups() -> Iterator[PurePosixPath]:
    try:
        lines = _OWN_CGROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        if line.startswith(_UNIFIED):
            own = PurePosixPath(line.removeprefix(_UNIFIED).lstrip("/"))
            yield from (own, *own.parents)
