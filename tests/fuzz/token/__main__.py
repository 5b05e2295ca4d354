"""Compare our verdicts with other people's on tokens from a grammar, and print what was found.

`python -m tests.fuzz.token --count 1000000 --seed 1`; the exit status is 1 if we accept anything
that another verifier refuses for a reason that is not in `reasons.py`, or if anything but our own
errors comes out of us.
"""

import argparse
import sys

from tests.fuzz.token.differential import Outcome, run
from tests.fuzz.token.oracles import NAMES

SHOWN = 10


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.token", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="tokens to judge")
    parser.add_argument("--seed", type=int, default=1, help="of keys and tokens alike")
    options = parser.parse_args()
    outcome = run(options.count, options.seed)
    sys.stdout.write("\n".join(report(outcome)) + "\n")
    return 1 if outcome.violations else 0


def report(outcome: Outcome) -> list[str]:
    """Word what a run found, one line each."""
    return [*_by_class(outcome), "", *_refused(outcome), "", *_explained(outcome), *_bad(outcome)]


def _by_class(outcome: Outcome) -> list[str]:
    judges = ("ours", *NAMES)
    total = outcome.tokens.total()
    lines = [
        f"seed {outcome.seed}, {total} tokens, {outcome.duration_s:.0f} s; accepted by",
        f"{'class':14}{'tokens':>9}" + "".join(f"{judge:>16}" for judge in judges),
    ]
    for name in sorted(outcome.tokens):
        counts = "".join(f"{outcome.accepted[judge, name]:>16}" for judge in judges)
        lines.append(f"{name:14}{outcome.tokens[name]:>9}{counts}")
    sums = (sum(outcome.accepted[judge, name] for name in outcome.tokens) for judge in judges)
    lines.append(f"{'all':14}{total:>9}" + "".join(f"{count:>16}" for count in sums))
    crashes = "".join(f"{outcome.crashed[judge]:>16}" for judge in judges)
    lines.append(f"{'crashed':14}{'':>9}{crashes}")
    return lines


def _refused(outcome: Outcome) -> list[str]:
    lines = ["refused by us, accepted by"]
    lines.append(f"{'our reason':23}" + "".join(f"{oracle:>16}" for oracle in NAMES))
    for reason in sorted({reason for reason, _ in outcome.refused_alone}):
        counts = "".join(f"{outcome.refused_alone[reason, oracle]:>16}" for oracle in NAMES)
        lines.append(f"{reason:23}{counts}")
    return lines


def _explained(outcome: Outcome) -> list[str]:
    lines = ["accepted by us, refused by"]
    for (oracle, reason), count in sorted(outcome.explained.items()):
        lines.append(f"{oracle:16}{count:>7}  {reason}")
    return lines


def _bad(outcome: Outcome) -> list[str]:
    lines = ["", f"violations: {len(outcome.violations)}"]
    for name, what, token in outcome.violations[:SHOWN]:
        lines.append(f"  {name}: {what}: {token.decode('latin-1')!r}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
