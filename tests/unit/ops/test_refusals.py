"""The last refusals: what is kept of them, and how much."""

from sidecar.model import Anonymous, RequestRecord
from sidecar.ops.refusals import KEPT, MAX_PATH, Refusals


def test_refusals_are_listed_latest_first_with_their_reasons() -> None:
    """A refusal, and a request that lost its token; an ordinary one is none."""
    refusals = Refusals()
    refusals.observe(RequestRecord("GET", 1.0, "/a", "1", reason="token_expired", status=401))
    refusals.observe(RequestRecord("GET", 2.0, "/b", "2", status=200))
    stripped = Anonymous("key_unknown", "kid-9", "pool")
    refusals.observe(RequestRecord("GET", 3.0, "/c", "3", caller=stripped, status=200))
    latest = refusals.latest(1000.0)
    assert [(r.request_id, r.reason) for r in latest] == [
        ("3", "key_unknown"),
        ("1", "token_expired"),
    ]
    assert (latest[0].at, latest[0].kid, latest[0].pool) == (1003.0, "kid-9", "pool")


def test_refusals_are_bounded_whatever_happens() -> None:
    """A flood of long paths and kids holds little."""
    refusals = Refusals()
    for n in range(KEPT * 3):
        record = RequestRecord("GET", float(n), "/" + "a" * 8000, reason="key_unknown")
        record.kid = "k" * 8000
        refusals.observe(record)
    latest = refusals.latest(0.0)
    assert len(latest) == KEPT
    assert max(len(r.path) for r in latest) == MAX_PATH
    assert max(len(r.kid) for r in latest) < 100
