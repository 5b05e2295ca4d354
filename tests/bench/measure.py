"""One round of load, and what the measured processes spent on it."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench import wrk
from tests.bench.accounting import cpu_s
from tests.bench.peers.peer import Running
from tests.bench.wrk import LoadFailed, Summary

_MIB = 1024 * 1024
_LOST_SHARE = 0.001  # a connection closed by wrk's own end may count as one that broke


@dataclass(frozen=True)
class Round:
    """What one round of load showed.

    Attributes:
        requests: Answered, as they should be.
        requests_per_s: The same per second.
        cpu_us: Of the measured trees, per request; None if none was measured.
        p50_ms: Median latency.
        p99_ms: 99th percentile of the latency.
        mib_per_s: Received by the clients.
    """

    requests: int
    requests_per_s: float
    cpu_us: float | None
    p50_ms: float
    p99_ms: float
    mib_per_s: float


@dataclass(frozen=True)
class Load:
    """A load that can be put on any peer.

    Attributes:
        script: For wrk.
        connections: Held open at once.
        seconds: Length of a round.
        is_refused: All requests are to be refused; otherwise none.
    """

    script: Path
    connections: int
    seconds: int
    is_refused: bool = False


def measure(running: Running, load: Load, start_at: int = 0) -> Round:
    """Put load on a peer for one round.

    Args:
        running: The peer.
        load: The load.
        start_at: Of which token of the file to begin.

    Raises:
        LoadFailed: Answers are not what they should be, or the peer has ended.
    """
    try:
        before = cpu_s(running.pids)
        summary = wrk.run(running.url, load.script, load.connections, load.seconds, start_at)
        spent_s = cpu_s(running.pids) - before
    except OSError as error:  # a clock of a process that is no more
        raise LoadFailed(f"{running.name} has ended") from error
    check(summary, running.name, load)
    return Round(
        requests=summary.requests,
        requests_per_s=summary.requests / summary.duration_s,
        cpu_us=spent_s / summary.requests * 1e6 if running.pids else None,
        p50_ms=summary.p50_ms,
        p99_ms=summary.p99_ms,
        mib_per_s=summary.received_bytes / summary.duration_s / _MIB,
    )


def check(summary: Summary, name: str, load: Load) -> None:
    """Make sure that a round measured what it should.

    Raises:
        LoadFailed: More answers were of the wrong kind, or broke, than wrk's own end explains.
    """
    expected = summary.requests if load.is_refused else 0
    wrong = abs(summary.not_2xx - expected) + summary.broken
    if wrong > summary.requests * _LOST_SHARE:
        what = "refused" if load.is_refused else "answered"
        raise LoadFailed(
            f"{name}: expected that all of {summary.requests} requests are {what}; "
            f"{summary.not_2xx} were not 2xx, {summary.broken} broke"
        )
