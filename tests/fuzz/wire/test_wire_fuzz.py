"""The wire fuzz in small, on every run of the tests; `make fuzz-wire` runs it in large."""

import asyncio

import uvloop

from tests.fuzz.wire.campaign import Campaign

COUNT = 5_000
SEED = 20_261_120


def test_5000_mutated_requests_break_no_law() -> None:
    """h11, httptools and gunicorn agree on all that arrives, and nobody is anyone unproven."""
    campaign = Campaign(COUNT, SEED)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(campaign.run())
    assert tally.complaints == []
    assert sum(tally.cases.values()) == COUNT
    assert all(tally.arrived[kind] for kind in tally.cases), "no class may be refused altogether"
