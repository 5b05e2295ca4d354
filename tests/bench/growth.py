"""What a request costs the sidecar when something grows: it should cost the same."""

import asyncio
import socket
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.bench.accounting import rss_mib
from tests.bench.measure import Load, measure
from tests.bench.peers.peer import Running
from tests.bench.peers.sidecar import SIDECAR, with_rules
from tests.bench.plan import Plan, say
from tests.bench.results import Points, Results
from tests.bench.wrk import LoadFailed, Request, write_script

CONNECTIONS = (1, 10, 100, 1000)
USERS = (10, 100, 1000, 10_000)
RULES = (1, 10, 50, 200)
FIELDS = (10, 20, 40, 60)

IDLE = 10_000
"""Idle connections. They need as many file descriptors here and there."""

_OWN_FIELDS = 2  # `Host` and `Authorization`, which wrk sends anyway
_SECONDS = 1
_IDLE_STEP = 200  # opened at once; a listening socket has a queue of 128 or more
_IDLE_S = 60  # to open them all


@dataclass(frozen=True)
class _Step:
    at: int
    on: Running
    load: Load


def measure_growth(plan: Plan, results: Results) -> None:
    """Measure all curves, each with its steps interleaved."""
    with ExitStack() as stack:
        plain = stack.enter_context(plan.run(SIDECAR, plan.nginx))
        ruled = {n: stack.enter_context(plan.run(with_rules(n), plan.nginx)) for n in RULES}
        hot = Request("GET", "/api/feed", plan.tokens.hot)
        curves = {
            "connections": [_step(plan, n, plain, hot, connections=n) for n in CONNECTIONS],
            "users": [_step(plan, n, plain, _of_users(plan, n)) for n in USERS],
            "route rules": [_step(plan, n, ruled[n], hot) for n in RULES],
            "request fields": [_step(plan, n, plain, _with_fields(plan, n)) for n in FIELDS],
        }
        for what, steps in curves.items():
            say(f"measuring growth: {what}")
            try:
                results.growth[what] = _curve(steps, plan.rounds)
            except LoadFailed as error:
                results.failures[what, "sidecar"] = str(error)


def measure_idle(plan: Plan, results: Results) -> None:
    """Measure what idle keep-alive connections add to the sidecar's memory."""
    say(f"measuring {IDLE} idle connections")
    token = plan.tokens.hot.read_bytes().split()[0]
    with plan.run(SIDECAR, plan.nginx) as on:
        before = rss_mib(on.pids)
        try:
            results.idle_mib = asyncio.run(hold_idle(on, token)) - before
        except (OSError, TimeoutError) as error:
            results.failures["idle connections", "sidecar"] = f"{type(error).__name__}: {error}"


def _curve(steps: Sequence[_Step], rounds: int) -> Points:
    values: dict[int, list[float]] = {step.at: [] for step in steps}
    # The first pass fills caches and pools and is thrown away.
    for number in range(rounds + 1):
        for step in steps:
            cpu_us = measure(step.on, step.load).cpu_us
            if number and cpu_us is not None:
                values[step.at].append(cpu_us)
    return [(at, statistics.median(measured)) for at, measured in values.items()]


def _step(plan: Plan, at: int, on: Running, request: Request, connections: int = 32) -> _Step:
    script = plan.folder / f"growth-{len(list(plan.folder.glob('growth-*')))}.lua"
    return _Step(at, on, Load(write_script(request, script), connections, _SECONDS))


def _of_users(plan: Plan, count: int) -> Request:
    file = plan.folder / f"users-{count}"
    file.write_bytes(b"\n".join(plan.tokens.many.read_bytes().split()[:count]) + b"\n")
    return Request("GET", "/api/feed", file)


def _with_fields(plan: Plan, count: int) -> Request:
    return Request("GET", "/api/feed", plan.tokens.hot, extra_fields=count - _OWN_FIELDS)


async def hold_idle(on: Running, token: bytes) -> float:
    """Open `IDLE` connections, use each once, and return the resident MiB while they are idle."""
    request = b"GET /api/feed HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n\r\n" % token
    port = int(on.url.rpartition(":")[2])
    held: list[socket.socket] = []
    try:
        async with asyncio.timeout(_IDLE_S):
            for _ in range(IDLE // _IDLE_STEP):
                held += await asyncio.gather(*(_use_once(port, request) for _ in range(_IDLE_STEP)))
        return rss_mib(on.pids)
    finally:
        for client in held:
            client.close()


async def _use_once(port: int, request: bytes) -> socket.socket:
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.settimeout(0)  # not blocking, as the loop demands
    await loop.sock_connect(client, ("127.0.0.1", port))
    await loop.sock_sendall(client, request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = await loop.sock_recv(client, 65536)
        if not received:
            raise ConnectionError(f"closed after {len(answer)} bytes")
        answer += received
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(answer[:40].decode("latin-1"))
    return client
