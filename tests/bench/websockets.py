"""WebSocket messages there and back: what wrk cannot do."""

import asyncio
import statistics
import time
from itertools import chain

import aiohttp

from tests.bench.accounting import cpu_s
from tests.bench.measure import Round
from tests.bench.peers.peer import Running
from tests.bench.wrk import LoadFailed

_CONNECTIONS = 32
_MESSAGE = b"x" * 1024
_MIB = 1024 * 1024
_OPEN_S = 10  # for a peer to switch protocols; one that cannot may never answer


def measure_messages(running: Running, token: bytes, seconds: float) -> Round:
    """Send messages and wait for each to come back, for one round.

    Raises:
        LoadFailed: The peer does not switch protocols, or breaks a connection off.
    """
    try:
        return asyncio.run(_measure(running, token, seconds))
    except (aiohttp.ClientError, OSError, TimeoutError, TypeError) as error:
        # TypeError is what aiohttp says of a close instead of the message that was waited for.
        raise LoadFailed(f"{running.name}: no WebSocket: {type(error).__name__}") from error


async def _measure(running: Running, token: bytes, seconds: float) -> Round:
    fields = {"Authorization": f"Bearer {token.decode()}"}
    async with aiohttp.ClientSession(headers=fields) as session:
        async with asyncio.timeout(_OPEN_S):
            sockets = [await session.ws_connect(f"{running.url}/ws") for _ in range(_CONNECTIONS)]
        started, before = time.monotonic(), cpu_s(running.pids)
        latencies = await asyncio.gather(*(_talk(socket, started + seconds) for socket in sockets))
        spent_s, took_s = cpu_s(running.pids) - before, time.monotonic() - started
        await asyncio.gather(*(socket.close() for socket in sockets))
    return summarise(
        list(chain.from_iterable(latencies)), spent_s if running.pids else None, took_s
    )


async def _talk(socket: aiohttp.ClientWebSocketResponse, until: float) -> list[float]:
    latencies = []
    sent_at = time.monotonic()
    while sent_at < until:
        await socket.send_bytes(_MESSAGE)
        await socket.receive_bytes()
        came_at = time.monotonic()
        latencies.append(came_at - sent_at)
        sent_at = came_at
    return latencies


def summarise(latencies_s: list[float], spent_s: float | None, took_s: float) -> Round:
    """Make a round of what was counted; a message and its echo are one request."""
    count = len(latencies_s)
    percentiles_s = statistics.quantiles(latencies_s, n=100)
    return Round(
        requests=count,
        requests_per_s=count / took_s,
        cpu_us=None if spent_s is None else spent_s / count * 1e6,
        p50_ms=percentiles_s[49] * 1e3,
        p99_ms=percentiles_s[98] * 1e3,
        mib_per_s=count * len(_MESSAGE) / took_s / _MIB,
    )
