"""What is counted of requests, and what other rooms count.

Counting is a few additions to plain integers, 1 µs for each request; names, labels and sums are
made when somebody reads them. Every label takes its values from the settings or from this program.
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field

from sidecar.errors import (
    KeysUnavailable,
    MultipleTokens,
    Overloaded,
    PolicyError,
    RevocationUnknown,
    SidecarError,
    TokenError,
)
from sidecar.model import Anonymous, RequestRecord

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""From what a proxy adds to a fast backend up to the time limit of a slow one."""

NO_ROUTE = "none"
"""Stands for requests that could not be read so far that a rule could be looked for."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that are forwarded; any other is counted as `other`."""


def _reasons(error: type[SidecarError]) -> set[str]:
    own = {error.reason} if hasattr(error, "reason") else set()
    return own.union(*map(_reasons, error.__subclasses__()))


REFUSALS = frozenset(
    {
        *_reasons(TokenError),
        *_reasons(PolicyError),
        KeysUnavailable.reason,
        RevocationUnknown.reason,
        MultipleTokens.reason,
    }
)
"""Reasons that are a decision about the caller; the others are about the request or the backend."""

Decision = tuple[str, str, str, str]
"""Result (`authenticated`, `anonymous`, `refused`), reason, token use, pool id."""


@dataclass(slots=True)
class Histogram:
    """Durations by size. A class because it grows with every request.

    Attributes:
        counts: Of each bucket alone, the last one being for all above the largest bound.
        sum_s: Of all durations.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.sum_s += seconds


@dataclass(frozen=True, slots=True)
class KeyReading:
    """The keys of one pool at a moment.

    Attributes:
        pool_id: The pool.
        kids: Names of the keys in use; empty if there are none.
        age_s: Since they were fetched last; None if they never were.
        fetches: Begun so far.
        failures: Fetches that gave no usable key set.
    """

    pool_id: str
    kids: tuple[str, ...]
    age_s: float | None
    fetches: int
    failures: int


@dataclass(frozen=True, slots=True)
class Readings:
    """What other rooms count or hold, at a moment.

    Attributes:
        in_flight: Requests that have begun and are not over.
        connections: Of clients.
        upstream_open: Connections to the backend.
        upstream_idle: Those of them that carry no request.
        cache_entries: Outcomes remembered.
        cache_hits: Tokens that were found among them.
        cache_misses: Tokens that were not.
        reloads: Changes of the settings in force.
        failed_reloads: Changes that were refused.
        keys: Of every pool.
        workers: Processes that serve.
        worker_deaths: Those that ended without being told to.
    """

    in_flight: int = 0
    connections: int = 0
    upstream_open: int = 0
    upstream_idle: int = 0
    cache_entries: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    reloads: int = 0
    failed_reloads: int = 0
    keys: tuple[KeyReading, ...] = ()
    workers: int = 1
    worker_deaths: int = 0


class Metrics:
    """Counts requests. A class because counts live as long as the process."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, int, str], int] = defaultdict(int)
        self.decisions: defaultdict[Decision, int] = defaultdict(int)
        self.reported: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.failures: defaultdict[str, int] = defaultdict(int)
        self.request_s = Histogram()
        self.upstream_s = Histogram()
        self.upstream_requests = {True: 0, False: 0}
        self.dropped_fields = 0

    def observe(self, record: RequestRecord) -> None:
        """Count a request that is over."""
        method = record.method if record.method in METHODS else "other"
        self.requests[method, record.status, record.route or NO_ROUTE] += 1
        decision = decision_of(record)
        if decision is not None:
            self.decisions[decision] += 1
        self.request_s.add(record.duration_s)
        if record.upstream_s >= 0:
            self.upstream_s.add(record.upstream_s)
            self.upstream_requests[record.is_upstream_reused] += 1
        self.dropped_fields += record.dropped_fields
        if record.reason and record.reason not in REFUSALS:
            self.failures[record.reason] += 1
        if record.would_refuse:
            self.reported[record.route, record.would_refuse] += 1

    @property
    def overloads(self) -> int:
        """Requests refused because a limit was reached."""
        return self.failures.get(Overloaded.reason, 0)


def decision_of(record: RequestRecord) -> Decision | None:
    """Return what was decided about the caller; None if it did not come to that."""
    if record.reason in REFUSALS:
        return "refused", record.reason, "", record.pool_id
    if not record.route:
        return None
    caller = record.caller
    if isinstance(caller, Anonymous):
        return "anonymous", caller.reason, "", caller.pool_id
    return "authenticated", "", caller.token_use, caller.pool_id
