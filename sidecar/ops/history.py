"""The last quarter of an hour, in steps of five seconds: what the admin page draws.

Made of differences between counts that are kept anyway; a request costs nothing here.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.ops.metrics import BUCKETS_S, KeyReading, Metrics

STEP_S = 5.0
"""Between two samples. Short enough to watch something happen."""

KEPT = 180
"""Samples kept: 15 minutes."""

_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """What happened in one step.

    Attributes:
        at: Its end, in seconds since the epoch.
        requests: Answered.
        errors: Answered with 5xx, or not at all.
        outcomes: Decisions by what became of the caller: `authenticated`, `anonymous`, or a reason
            preceded by what it led to, such as `anonymous token_expired`.
        request_ms: 50th, 95th and 99th percentile of the requests' durations; empty without one.
        upstream_ms: The same of the backend's.
    """

    at: float
    requests: int
    errors: int
    outcomes: dict[str, int]
    request_ms: tuple[float, ...]
    upstream_ms: tuple[float, ...]


class History:
    """Keeps samples. A class because each is made of what the one before had counted.

    Args:
        metrics: What is sampled.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._requests: Counter[tuple[str, int, str]] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._request_counts = list(metrics.request_s.counts)
        self._upstream_counts = list(metrics.upstream_s.counts)
        self.samples: deque[Sample] = deque(maxlen=KEPT)
        self.key_seen_at: dict[tuple[str, str], float] = {}

    def sample(self, now: float, keys: Iterable[KeyReading]) -> None:
        """Note what has happened since the last time.

        Args:
            now: Seconds since the epoch.
            keys: Of every pool, to remember since when they are known.
        """
        metrics = self._metrics
        requests = Counter(metrics.requests) - self._requests
        outcomes = Counter(_outcomes(metrics)) - self._outcomes
        self._requests += requests
        self._outcomes += outcomes
        self.samples.append(
            Sample(
                at=now,
                requests=sum(requests.values()),
                errors=sum(n for (_, code, _), n in requests.items() if _is_error(code)),
                outcomes=dict(outcomes),
                request_ms=_percentiles_ms(metrics.request_s.counts, self._request_counts),
                upstream_ms=_percentiles_ms(metrics.upstream_s.counts, self._upstream_counts),
            )
        )
        self._request_counts = list(metrics.request_s.counts)
        self._upstream_counts = list(metrics.upstream_s.counts)
        self._note_keys(now, keys)

    def _note_keys(self, now: float, keys: Iterable[KeyReading]) -> None:
        current = {(pool.pool_id, kid) for pool in keys for kid in pool.kids}
        self.key_seen_at = {key: self.key_seen_at.get(key, now) for key in current}


def _outcomes(metrics: Metrics) -> dict[str, int]:
    outcomes: Counter[str] = Counter()
    for (result, reason, _, _), count in metrics.decisions.items():
        outcomes[f"{result} {reason}".rstrip()] += count
    for reason, count in metrics.failures.items():
        outcomes[f"failed {reason}"] += count
    return dict(outcomes)


def _is_error(code: int) -> bool:
    return code == 0 or code >= _FIRST_SERVER_ERROR


def _percentiles_ms(counts: Sequence[int], before: Sequence[int]) -> tuple[float, ...]:
    """Estimate percentiles of what a histogram gained, on a straight line within each bucket."""
    gained = [now - then for now, then in zip(counts, before, strict=True)]
    total = sum(gained)
    if total == 0:
        return ()
    return tuple(
        round(_percentile_s(gained, share * total) * 1000, 2) for share in (0.5, 0.95, 0.99)
    )


def _percentile_s(gained: Sequence[int], rank: float) -> float:
    below, lower = 0, 0.0
    for count, upper in zip(gained, BUCKETS_S, strict=False):
        if count and below + count >= rank:
            return lower + (upper - lower) * (rank - below) / count
        below, lower = below + count, upper
    return BUCKETS_S[-1]
