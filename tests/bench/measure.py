"""One round of load, and what the measured process spent on it by the kernel's own accounting."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.bench.programs import path_of

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Round:
    """What one round of load showed.

    Attributes:
        requests_per_s: Answered with 2xx.
        cpu_us: Of the measured process and its children, per request; None if none was measured.
        p50_ms: Median latency.
        p99_ms: 99th percentile of the latency.
    """

    requests_per_s: float
    cpu_us: float | None
    p50_ms: float
    p99_ms: float


class LoadFailed(Exception):
    """The load generator saw errors: the round measured something else than it should."""


@dataclass(frozen=True)
class Load:
    """What wrk is told.

    Attributes:
        script: Lua script that makes the requests.
        seconds: Length of a round.
        connections: Held open at once.
        cpu: Processor that wrk runs on.
    """

    script: Path
    seconds: int
    connections: int
    cpu: int


async def measure(url: str, load: Load, measured_pid: int | None) -> Round:
    """Put load on `url`, and read what the process `measured_pid` spends on it.

    Raises:
        LoadFailed: A response was not 2xx, or a socket failed.
    """
    before = _cpu_s(measured_pid)
    process = await asyncio.create_subprocess_exec(
        *("taskset", "--cpu-list", str(load.cpu), path_of("wrk")),
        *("--threads", "1", "--connections", str(load.connections)),
        *("--duration", f"{load.seconds}s", "--latency", "--script", str(load.script), url),
        stdout=asyncio.subprocess.PIPE,
    )
    text = (await process.communicate())[0].decode()
    spent = _cpu_s(measured_pid) - before
    if "Non-2xx" in text or "Socket errors" in text or process.returncode != 0:
        raise LoadFailed(text)
    requests = int(_find(r"(\d+) requests in", text))
    return Round(
        requests_per_s=float(_find(r"Requests/sec:\s+([\d.]+)", text)),
        cpu_us=spent / requests * 1e6 if measured_pid is not None else None,
        p50_ms=_milliseconds(text, "50%"),
        p99_ms=_milliseconds(text, "99%"),
    )


def _cpu_s(pid: int | None) -> float:
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5), here counted after the name.
    return sum(int(ticks) for ticks in fields[11:15]) * _TICK_S


def _milliseconds(text: str, percentile: str) -> float:
    match = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", text)
    assert match is not None, text
    return float(match[1]) * _UNITS_MS[match[2]]


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]
