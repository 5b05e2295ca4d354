"""Tokens by the ten thousand. Signing one takes most of a millisecond, so all cores sign."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import mint

HOT = 100
MANY = 10_000
COLD = 24_000
"""More than any measured cache holds (10 000), and used in turn: when a token comes again, every
cache that forgets the least recently used has forgotten it."""

_LIFETIME_S = 6 * 3600  # longer than any run, shorter than the 24 h that the sidecar accepts


@dataclass(frozen=True)
class Tokens:
    """Files with one token per line.

    Attributes:
        hot: Of a few users.
        many: Of as many users as the largest cache holds.
        cold: None of them in any cache when its turn comes.
        bad: As many, each with a wrong signature.
    """

    hot: Path
    many: Path
    cold: Path
    bad: Path


def write_tokens(folder: Path, cold: int = COLD) -> Tokens:
    """Mint tokens that are valid now and write the files."""
    now = time.time()  # noqa: TID251 - every peer reads the real clock
    made = _mint_all(cold + MANY, now)
    return Tokens(
        hot=_write(folder / "hot", made[:HOT]),
        many=_write(folder / "many", made[:MANY]),
        cold=_write(folder / "cold", made[MANY:]),
        bad=_write(folder / "bad", [break_signature(token) for token in made[MANY:]]),
    )


def mint_one(number: int, now: float, **changes: object) -> bytes:
    """Make the token of a user, who has a name and a `sub` of the usual length."""
    sub = f"{number:08x}-bbbb-cccc-dddd-eeeeeeeeeeee"
    ours = {"sub": sub, "username": f"user-{number}", "exp": int(now) + _LIFETIME_S}
    return mint.mint(mint.access_claims(now, **(ours | changes)))


def break_signature(token: bytes) -> bytes:
    """Change one bit in the middle of the signature, so that only the arithmetic finds out."""
    at = len(token) - 100
    return token[:at] + (b"B" if token[at : at + 1] == b"A" else b"A") + token[at + 1 :]


def _mint_all(count: int, now: float) -> list[bytes]:
    mint.private_key()  # made here once, so that every forked process has the same
    workers = os.cpu_count() or 1
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return pool.starmap(mint_one, [(n, now) for n in range(count)], chunksize=250)


def _write(file: Path, tokens: Sequence[bytes]) -> Path:
    file.write_bytes(b"\n".join(tokens) + b"\n")
    return file
