"""Does a flood of tokens take memory? Distinct good ones, distinct bad ones, and respellings.

`python -m tests.fuzz.token.memory --count 1000000` presents so many of each kind and prints what
the process holds before and after. Good tokens come round by turns, more of them than the cache
holds, so that each is new again when its turn comes: signing a million takes an hour.
"""

import argparse
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import TokenError
from sidecar.identity.authenticator import Authenticator
from sidecar.identity.cache import MAX_ENTRIES, MAX_REFUSED
from sidecar.model import BearerToken
from tests.support import mint
from tests.support.pools import authenticator

GOOD_TOKENS = MAX_ENTRIES + 1_000
MAX_GROWTH_MIB = 4.0
"""What a heap may be fragmented by; a leak of one entry per token would be hundreds."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What a flood left behind.

    Attributes:
        count: Tokens presented of each kind.
        before_mib: Resident memory once the caches were full.
        after_mib: Resident memory after the flood.
        remembered: Outcomes held in the end.
    """

    count: int
    before_mib: float
    after_mib: float
    remembered: int

    @property
    def is_flat(self) -> bool:
        """Tell whether memory stayed as it was."""
        return self.after_mib - self.before_mib < MAX_GROWTH_MIB


def measure(count: int) -> Growth:
    """Present `count` tokens of each kind."""
    auth = authenticator()
    good = [mint.mint(sub=f"user-{number}") for number in range(GOOD_TOKENS)]
    bad = mint.mint().rpartition(b".")
    _flood(auth, good, bad, range(GOOD_TOKENS + MAX_REFUSED))
    before = _resident_mib()
    _flood(auth, good, bad, range(GOOD_TOKENS, GOOD_TOKENS + count))
    return Growth(count, before, _resident_mib(), len(auth.cache))


def _flood(
    auth: Authenticator, good: list[BearerToken], bad: tuple[bytes, bytes, bytes], numbers: range
) -> None:
    content, _, signature = bad
    for number in numbers:
        auth.authenticate(good[number % len(good)], mint.NOW)
        changed = b"%08x" % number
        _present(auth, content + b"." + changed + signature[8:])
        _present(auth, content + b"." + signature + b"=" * (number % 97) + changed)
        _present(auth, mint.mint(header={"alg": "RS256", "kid": f"{number}"}, signature=b"x"))


def _present(auth: Authenticator, token: bytes) -> None:
    try:
        auth.authenticate(BearerToken(token), mint.NOW)
    except TokenError:
        return
    msg = "a bad token was accepted"
    raise AssertionError(msg)


def _resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def main() -> int:
    """Measure and print; 1 if memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.token.memory", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="tokens of each kind")
    growth = measure(parser.parse_args().count)
    sys.stdout.write(
        f"{growth.count} tokens of each kind: {growth.before_mib:.1f} MiB before, "
        f"{growth.after_mib:.1f} MiB after, {growth.remembered} outcomes remembered\n"
    )
    return 0 if growth.is_flat else 1


if __name__ == "__main__":
    sys.exit(main())
