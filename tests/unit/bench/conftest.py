"""Results as a run would leave them, made by hand."""

import pytest

from tests.bench.measure import Round
from tests.bench.results import DIRECT, Results


def made_round(cpu_us: float | None = 50.0, p50_ms: float = 1.0, mib_per_s: float = 10.0) -> Round:
    """Make a round; what is not named is of no interest."""
    return Round(
        requests=1000,
        requests_per_s=1000.0,
        cpu_us=cpu_us,
        p50_ms=p50_ms,
        p99_ms=2 * p50_ms,
        mib_per_s=mib_per_s,
    )


@pytest.fixture
def results() -> Results:
    """Hold results in which the sidecar needs 40 µs, Envoy 100, and HAProxy is missing."""
    made = Results()
    made.rounds["hot"][DIRECT] = [made_round(None, p50_ms=0.5)]
    made.rounds["hot"]["sidecar"] = [made_round(cpu) for cpu in (41.0, 40.0, 39.0)]
    made.rounds["hot"]["Envoy"] = [made_round(100.0, p50_ms=1.5)]
    made.rounds["cold"]["sidecar"] = [made_round(90.0)]
    made.rounds["cold"]["Envoy"] = [made_round(100.0)]
    made.rss_mib = {"sidecar": 60.0, "Envoy": 70.0}
    made.missing = {"HAProxy": "haproxy is not installed\nand more"}
    made.accepts = {"sidecar": [], "Envoy": ["another client's token"]}
    made.growth = {"users": [(10, 40.0), (100, 44.0)]}
    return made
