"""500 users over shared connections: nobody ever gets another's answer."""

from pathlib import Path

from tests.bench.isolation import measure

REQUESTS = 5000


async def test_no_response_is_mixed_up(tmp_path: Path) -> None:
    """Each response echoes the caller and the target of its own request."""
    tally = await measure(REQUESTS, 500, tmp_path)
    assert tally.mixed_up == []
    answered = tally.outcomes["status 200"]
    assert answered > REQUESTS * 0.9
    assert set(tally.outcomes) == {
        *("get", "post", "anonymous", "pair", "reset", "cancel", "status 200")
    }
