"""The proxy that most people write: aiohttp on both sides, `jwt.decode` for every request."""

import sys

import aiohttp

from tests.bench.interpreter import packages, python
from tests.bench.peers.peer import Peer, Setup
from tests.bench.processes import Command


def _command(setup: Setup) -> Command:
    return Command(
        (python(), "-m", "tests.bench.peers.aiohttp_jose_app"),
        {
            **packages(),
            "BENCH_PORT": str(setup.port),
            "BENCH_UPSTREAM": f"http://{setup.upstream}",
            "BENCH_JWKS": str(setup.keys.jwks),
        },
    )


def _version() -> tuple[str, ...]:
    return (sys.executable, "-c", f"print('aiohttp {aiohttp.__version__}')")


AIOHTTP_JOSE = Peer("aiohttp + jose", "python", _command, _version)
