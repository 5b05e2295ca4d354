"""Everything that one run found out. This file keeps; `report` words and `targets` judges."""

import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.measure import Round

DIRECT = "direct"
"""The same load on the backend itself, with nobody in between."""

SIDECAR = "sidecar"

Points = list[tuple[int, float]]
"""A curve: how much of something, and CPU per request in microseconds."""


@dataclass
class Results:
    """What was found out. A class because it fills up while the run goes on.

    Attributes:
        rounds: By workload and peer.
        rss_mib: Resident memory after the load, by peer.
        missing: Why a peer was not measured, by peer.
        failures: Why a peer was not measured under a workload, by workload and peer.
        accepts: What a peer lets through that the sidecar does not, by peer.
        versions: By peer.
        growth: Curves of the sidecar, by what grows.
        workers: Rounds of the sidecar, by number of workers.
        idle_mib: Resident memory that the idle connections added; None if not measured.
    """

    rounds: dict[str, dict[str, list[Round]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    rss_mib: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    accepts: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    growth: dict[str, Points] = field(default_factory=dict)
    workers: dict[int, list[Round]] = field(default_factory=lambda: defaultdict(list))
    idle_mib: float | None = None

    def median(
        self, workload: str, peer: str, read: Callable[[Round], float | None]
    ) -> float | None:
        """Return the median over all rounds of one figure; None if it was not measured."""
        measured = self.rounds.get(workload, {}).get(peer, [])
        values = [value for value in map(read, measured) if value is not None]
        return statistics.median(values) if values else None

    def cpu_us(self, workload: str, peer: str) -> float | None:
        """Return the median of CPU per request."""
        return self.median(workload, peer, lambda r: r.cpu_us)

    def added_p50_ms(self, workload: str, peer: str) -> float | None:
        """Return by how much a peer is slower than a direct call, at the median."""
        through = self.median(workload, peer, lambda r: r.p50_ms)
        direct = self.median(workload, DIRECT, lambda r: r.p50_ms)
        return None if through is None or direct is None else through - direct

    def mib_per_s(self, workload: str, peer: str) -> float | None:
        """Return the median of what the clients received per second."""
        return self.median(workload, peer, lambda r: r.mib_per_s)

    def of_workers(self, count: int, read: Callable[[Round], float | None]) -> float | None:
        """Return the median of one figure of so many workers; None if it was not measured."""
        values = [value for value in map(read, self.workers.get(count, [])) if value is not None]
        return statistics.median(values) if values else None

    def per_cpu_s(self, count: int) -> float | None:
        """Return how many requests so many workers answer for a second of CPU."""
        cpu_us = self.of_workers(count, lambda r: r.cpu_us)
        return 1e6 / cpu_us if cpu_us else None

    def scaled(self, count: int) -> float | None:
        """Return how often so many workers carry what one does, given a core for each.

        With the cores to themselves they are limited by CPU alone; so it is their number times
        what each gets out of a second of it.
        """
        many, one = self.per_cpu_s(count), self.per_cpu_s(1)
        return count * many / one if many and one else None
