"""Fuzz the wire: `python -m tests.fuzz.wire --count 1000000 --seed 1`."""

import argparse
import asyncio
import secrets
import sys
import time

import uvloop

from tests.fuzz.wire.campaign import Campaign, Tally

_SHOWN = 10


def main() -> int:
    """Run one campaign and print what it came to; 1 if a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.wire", description=__doc__)
    parser.add_argument("--count", type=int, default=5_000, help="cases to send")
    parser.add_argument("--seed", type=int, help="the same seed makes the same cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop by then")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1 << 32) if arguments.seed is None else arguments.seed
    started_at = time.monotonic()
    campaign = Campaign(arguments.count, seed, arguments.first, 60 * arguments.minutes)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(campaign.run())
    sys.stdout.write(describe(tally, seed, time.monotonic() - started_at))
    return 1 if tally.complaints else 0


def describe(tally: Tally, seed: int, duration_s: float) -> str:
    """Word the outcome: counts per class, statuses, complaints, seed and speed."""
    total = sum(tally.cases.values())
    lines = [f"{'kind':<14}{'cases':>10}{'at backend':>12}{'silent':>8}"]
    lines += [
        f"{kind:<14}{count:>10}{tally.arrived[kind]:>12}{tally.silent[kind]:>8}"
        for kind, count in sorted(tally.cases.items())
    ]
    lines.append(
        "answers: "
        + ", ".join(f"{count} of {status}" for status, count in sorted(tally.answers.items()))
    )
    lines += tally.complaints[:_SHOWN]
    lines.append(f"{len(tally.complaints)} broken laws in {total} cases, seed {seed}")
    lines.append(f"{duration_s:.1f} s, {total / duration_s:.0f} cases/s")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
