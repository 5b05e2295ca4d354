"""What a token costs: a new one and a cached one, beside the bare RSA verification of it.

`python -m tests.bench.verifier` prints CPU time per token on one core, as the median of rounds in
which the three are measured by turns, so that a busy machine disturbs all of them alike.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.identity.token import parse_token
from sidecar.model import BearerToken
from tests.support import mint
from tests.support.pools import HeldKeys, authenticator, pool

TOKENS = 400
ROUNDS = 25

MAX_NEW_RATIO = 1.6
"""The target: parsing, claims and cache may cost 60 % of what cryptography costs."""

MAX_CACHED_US = 3.0
"""The target for a token seen before."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of CPU time per token; medians of rounds.

    Attributes:
        bare_us: The signature alone, by the key object that we use.
        new_us: All of it, for a token not seen before.
        cached_us: All of it, for a token seen before.
    """

    bare_us: float
    new_us: float
    cached_us: float

    @property
    def new_ratio(self) -> float:
        """Return how many bare verifications a new token costs."""
        return self.new_us / self.bare_us


def measure(count: int = TOKENS, rounds: int = ROUNDS) -> Costs:
    """Measure with `count` different tokens in each of `rounds` rounds."""
    tokens = [mint.mint(jti=f"{number}") for number in range(count)]
    taken = [_measure_round(tokens) for _ in range(rounds)]
    bare, new, cached = (statistics.median(costs) for costs in zip(*taken, strict=True))
    return Costs(bare, new, cached)


def _measure_round(tokens: Sequence[BearerToken]) -> tuple[float, float, float]:
    keys = HeldKeys()
    key = keys.current()[mint.KID]
    signed = [(token.signing_input, token.signature) for token in map(parse_token, tokens)]
    fresh = authenticator(pool(keys))

    def verify_all() -> None:
        for signing_input, signature in signed:
            key.verifies(signing_input, signature)

    def authenticate_all() -> None:
        for token in tokens:
            fresh.authenticate(token, mint.NOW)

    bare, new, cached = map(_us, (verify_all, authenticate_all, authenticate_all))
    return bare / len(tokens), new / len(tokens), cached / len(tokens)


def _us(step: Callable[[], None]) -> float:
    start = time.process_time_ns()
    step()
    return (time.process_time_ns() - start) / 1000


def report(costs: Costs) -> list[str]:
    """Word the costs, one line each."""
    ratio = f"{costs.new_ratio:.2f} x bare, target {MAX_NEW_RATIO}"
    return [
        f"bare RSA verification {costs.bare_us:7.1f} us",
        f"new token             {costs.new_us:7.1f} us   ({ratio})",
        f"cached token          {costs.cached_us:7.1f} us   (target {MAX_CACHED_US:.0f} us)",
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(report(measure())) + "\n")
