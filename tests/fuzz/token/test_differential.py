"""20 000 tokens of the differential fuzz, with every run of the tests."""

import pytest

from tests.fuzz.token.__main__ import report
from tests.fuzz.token.differential import Outcome, run
from tests.fuzz.token.oracles import NAMES

COUNT = 20_000
SEED = 7

pytestmark = pytest.mark.timeout(300)  # 20 s on two idle cores


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Run once for all tests of this file."""
    outcome = run(COUNT, SEED)
    print("\n".join(report(outcome)))
    return outcome


def test_nothing_is_accepted_that_another_verifier_refuses(outcome: Outcome) -> None:
    """But for the reasons that are written down; and nothing but our own errors comes out."""
    assert outcome.violations == []
    assert outcome.crashed["ours"] == 0


def test_every_judge_accepts_good_tokens_and_refuses_others(outcome: Outcome) -> None:
    """The comparison means something: nobody says yes, or no, to everything."""
    assert outcome.tokens.total() == COUNT
    for judge in ("ours", *NAMES):
        assert outcome.accepted[judge, "valid"] == outcome.tokens["valid"] > 0
        assert outcome.accepted[judge, "confusion"] == 0
        assert outcome.accepted[judge, "claims"] < outcome.tokens["claims"]


def test_we_are_the_strictest(outcome: Outcome) -> None:
    """Each of the others accepts tokens that we refuse."""
    for oracle in NAMES:
        refused = {
            reason: count
            for (reason, name), count in outcome.refused_alone.items()
            if name == oracle
        }
        assert sum(refused.values()) > 0
        assert "token_malformed" in refused
