"""How near the sidecar comes to the least that Python needs, and what stands between.

`python -m tests.bench.floor` prints CPU time per request of three programs in front of the same
nginx under the same load, by turns: asyncio and httptools on both sides without a look at anything,
aiohttp's server without a backend, and the sidecar. Then what idle connections add to their memory.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench import backends
from tests.bench.accounting import rss_mib
from tests.bench.growth import IDLE, hold_idle
from tests.bench.interpreter import packages, python
from tests.bench.keys import write_keys
from tests.bench.measure import Load, measure
from tests.bench.peers.peer import Peer, Running, Setup, running
from tests.bench.peers.sidecar import SIDECAR
from tests.bench.processes import Command
from tests.bench.tokens import write_tokens
from tests.bench.wrk import Request, write_script

ROUNDS = 7
_SECONDS = 2
_CONNECTIONS = 32
_FEW = 10  # the workloads with more tokens are not for here


def _peer(what: str, name: str) -> Peer:
    def command(setup: Setup) -> Command:
        environment = {"BENCH_PORT": str(setup.port), "BENCH_UPSTREAM": setup.upstream}
        arguments = ("-m", "tests.bench.peers.floor_app", what)
        return Command((python(), *arguments), {**packages(), **environment})

    return Peer(name, "python", command, lambda: (python(), "--version"))


PROXY = _peer("proxy", "asyncio + httptools, verifying nothing")
SERVER = _peer("server", "aiohttp's server, without a backend")


def measure_all(rounds: int = ROUNDS) -> tuple[dict[str, float], dict[str, float]]:
    """Return by name what a request costs, in microseconds, and idle connections, in MiB.

    The first are medians of rounds.
    """
    with _started() as (load, programs, token):
        taken: dict[str, list[float]] = {on.name: [] for on in programs}
        # The first round fills caches and pools and is thrown away.
        for number in range(rounds + 1):
            for on in programs:
                cpu_us = measure(on, load).cpu_us
                if number and cpu_us is not None:
                    taken[on.name].append(cpu_us)
        idle = {}
        for on in programs:
            before = rss_mib(on.pids)
            idle[on.name] = asyncio.run(hold_idle(on, token)) - before
    return {name: statistics.median(values) for name, values in taken.items()}, idle


@contextmanager
def _started() -> Iterator[tuple[Load, Sequence[Running], bytes]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        folder.chmod(0o755)
        keys, tokens = write_keys(folder), write_tokens(folder, _FEW)
        upstream = stack.enter_context(backends.nginx(folder, keys))
        jwks_url = f"http://{upstream}/jwks.json"
        script = write_script(Request("GET", "/api/feed", tokens.hot), folder / "floor.lua")
        programs = [
            stack.enter_context(running(peer, folder, upstream, keys, jwks_url))
            for peer in (PROXY, SERVER, SIDECAR)
        ]
        token = tokens.hot.read_bytes().split()[0]
        yield Load(script, _CONNECTIONS, _SECONDS), programs, token


def report(taken: dict[str, float], idle: dict[str, float]) -> list[str]:
    """Word the figures, one line each."""
    floor_us = taken[PROXY.name]
    return [
        f"{name:40s} {cpu_us:7.1f} us   {cpu_us / floor_us:.2f} x the floor   "
        f"{idle[name]:6.1f} MiB with {IDLE} idle connections"
        for name, cpu_us in taken.items()
    ]


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.stdout.write("\n".join(report(*measure_all())) + "\n")
