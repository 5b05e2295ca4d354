"""What the sidecar must reach, as ratios within one run. Data, and how it is judged."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench.results import SIDECAR, Results

TOLERANCE = 0.10
"""A target missed by more than this fails the run; machines differ by about as much."""

Figure = Callable[[Results, str], float | None]


@dataclass(frozen=True)
class Target:
    """One ratio.

    Attributes:
        what: For tables.
        figure: Reads what is compared of one peer.
        ours: Whose figure is judged.
        other: Whose figure it is divided by.
        limit: Of the ratio.
        is_floor: The ratio must be at least `limit`; otherwise at most.
    """

    what: str
    figure: Figure
    other: str
    limit: float
    ours: str = SIDECAR
    is_floor: bool = False


@dataclass(frozen=True)
class Bound:
    """One figure of the sidecar alone that must not be above a limit.

    Attributes:
        what: For tables.
        figure: Reads it.
        limit: In the unit of the figure.
        unit: For tables.
        is_floor: It must not be below.
    """

    what: str
    figure: Callable[[Results], float | None]
    limit: float
    unit: str
    is_floor: bool = False


@dataclass(frozen=True)
class Verdict:
    """A target or bound, and what became of it.

    Attributes:
        what: For tables.
        value: Measured; None if it could not be.
        limit: To be reached.
        sign: `≤` or `≥`.
        unit: Of both; empty for ratios.
        other: Whom the sidecar is compared with; empty for a bound.
    """

    what: str
    value: float | None
    limit: float
    sign: str
    unit: str = ""
    other: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the limit is reached to the letter."""
        return self._is_within(self.limit)

    @property
    def is_missed(self) -> bool:
        """Whether it is missed by more than the tolerance. What was not measured is not missed."""
        slack = 1 + TOLERANCE
        return self.value is not None and not self._is_within(
            self.limit * slack if self.sign == "≤" else self.limit / slack
        )

    def _is_within(self, limit: float) -> bool:
        if self.value is None:
            return False
        return self.value <= limit if self.sign == "≤" else self.value >= limit


def cpu(workload: str) -> Figure:
    """Compare CPU per request."""
    return lambda results, peer: results.cpu_us(workload, peer)


def added_p50(workload: str) -> Figure:
    """Compare what a peer adds to the median latency."""
    return lambda results, peer: results.added_p50_ms(workload, peer)


def throughput(workload: str) -> Figure:
    """Compare bytes per second."""
    return lambda results, peer: results.mib_per_s(workload, peer)


def memory(results: Results, peer: str) -> float | None:
    """Compare resident memory."""
    return results.rss_mib.get(peer)


COLUMNS = ("Envoy", "Envoy + cache", "HAProxy", "fastify")
_ROWS: tuple[tuple[str, Figure, tuple[float | None, ...]], ...] = (
    ("hot, CPU per request", cpu("hot"), (0.45, 0.80, 0.85, 0.28)),
    ("cold, CPU per request", cpu("cold"), (0.80, 0.80, 1.60, 0.50)),
    ("added p50 at 1 connection", added_p50("hot-1"), (0.8, 0.8, 1.2, 0.5)),
    ("RSS", memory, (0.9, 0.9, None, 0.7)),
)

FLASK_PLAIN = "sidecar + Flask"
FLASK_VERIFIES = "Flask verifies"

TARGETS = (
    *(
        Target(what, figure, other, limit)
        for what, figure, limits in _ROWS
        for other, limit in zip(COLUMNS, limits, strict=True)
        if limit is not None
    ),
    Target("16 MiB responses, throughput", throughput("get-16m"), "HAProxy", 0.7, is_floor=True),
    Target("with Flask, CPU per request", cpu("flask"), FLASK_VERIFIES, 1.0, ours=FLASK_PLAIN),
)


def spread(curve: str) -> Callable[[Results], float | None]:
    """Read how far a curve rises above its lowest point, as a factor."""

    def read(results: Results) -> float | None:
        values = [value for _, value in results.growth.get(curve, [])]
        return max(values) / min(values) if values else None

    return read


# Flat within 10 % either way: the highest point at most 1.1 / 0.9 of the lowest.
_FLAT = 1.1 / 0.9

BOUNDS = (
    Bound("CPU, 1 to 1000 connections", spread("connections"), _FLAT, "x"),
    Bound("CPU, 10 to 10 000 users", spread("users"), _FLAT, "x"),
    Bound("CPU, 1 to 200 route rules", spread("route rules"), _FLAT, "x"),
    Bound("CPU, 10 to 60 request fields", spread("request fields"), _FLAT, "x"),
    Bound("10 000 idle connections", lambda results: results.idle_mib, 60, "MiB"),
    # 0.9 of one worker's requests for a second of CPU, on each of two cores.
    Bound("2 workers on 2 free cores", lambda results: results.scaled(2), 1.8, "x", is_floor=True),
)


def judge(results: Results) -> list[Verdict]:
    """Judge every target and bound; one that was not measured has no value."""
    return [*_judge_ratios(results), *(_judge_bound(results, bound) for bound in BOUNDS)]


def _judge_ratios(results: Results) -> Iterator[Verdict]:
    for target in TARGETS:
        ours = target.figure(results, target.ours)
        theirs = target.figure(results, target.other)
        # A peer that adds nothing measurable cannot be divided by; it is not beaten either.
        ratio = ours / theirs if ours is not None and theirs and theirs > 0 else None
        sign = "≥" if target.is_floor else "≤"
        yield Verdict(target.what, ratio, target.limit, sign, other=target.other)


def _judge_bound(results: Results, bound: Bound) -> Verdict:
    sign = "≥" if bound.is_floor else "≤"
    return Verdict(bound.what, bound.figure(results), bound.limit, sign, unit=bound.unit)
