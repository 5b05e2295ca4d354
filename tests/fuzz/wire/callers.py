"""Callers of the fuzz: what each token proves, so that what arrives can be held against it."""

import time
from dataclasses import dataclass

from tests.support import mint


@dataclass(frozen=True, slots=True)
class Callers:
    """Good tokens by their name in generated requests, and what they prove.

    Attributes:
        tokens: Name (`%T0%`, …) to token; some names stand for tokens that prove nothing.
        proven: Token to the sub and the username it proves.
    """

    tokens: dict[bytes, bytes]
    proven: dict[bytes, tuple[bytes, bytes]]


GOOD = tuple(b"%%T%d%%" % number for number in range(6))
BAD = (b"%B0%", b"%B1%", b"%B2%")


def make_callers() -> Callers:
    """Mint tokens that hold from now on for an hour."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    tokens: dict[bytes, bytes] = {}
    proven: dict[bytes, tuple[bytes, bytes]] = {}
    for number, name in enumerate(GOOD):
        sub, username = f"{number:08}-bbbb-cccc-dddd-eeeeeeeeeeee", f"caller-{number}"
        tokens[name] = mint.mint(now=now, sub=sub, username=username)
        proven[tokens[name]] = (sub.encode(), username.encode())
    stranger = mint.private_key("stranger")
    tokens[BAD[0]] = mint.mint(now=now, key=stranger, sub="signed-by-another-key")
    tokens[BAD[1]] = mint.mint(now=now - 90_000, sub="expired")
    tokens[BAD[2]] = b"not.a.token"
    return Callers(tokens, proven)


def fill_in(raw: bytes, callers: Callers) -> bytes:
    """Put tokens in place of their names."""
    if b"%" not in raw:
        return raw
    for name, token in callers.tokens.items():
        raw = raw.replace(name, token)
    return raw
