"""Runs cases against real sidecars in this process, many lanes at once, one case per lane."""

import asyncio
import contextlib
import io
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random

from sidecar.config import load
from sidecar.model import Address
from sidecar.server import Sidecar
from tests.fuzz.wire.callers import fill_in, make_callers
from tests.fuzz.wire.cases import Case, cut, make_case
from tests.fuzz.wire.judge import Evidence, judge
from tests.fuzz.wire.recorder import Recorder
from tests.support import mint
from tests.support.key_server import KeyServer

LANES = 24
"""Sidecars at once, so that waiting for the silence of one costs the others nothing."""

SILENCE_S = 0.04
"""After which a client gives up that sent half a request; no law depends on it."""

PATIENCE_S = 10.0
"""For a case that must come to its end by itself."""

_NAPS = 10

MODES = ("strip", "optional", "require")


@dataclass(slots=True)
class Tally:
    """What a campaign came to.

    Attributes:
        cases: By kind.
        arrived: Requests that the backend saw, by kind.
        answers: By status.
        silent: Cases that the client had to end, by kind.
        complaints: One text per broken law, with all that is needed to send it again.
    """

    cases: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


class Campaign:
    """One run. A class because its lanes share the count of cases left.

    Args:
        count: Cases in all.
        seed: Each case is made of it and of its own number alone.
        first: Number of the first case, to send one again.
        limit_s: After which no more cases are begun.
    """

    def __init__(
        self, count: int, seed: int, first: int = 0, limit_s: float = float("inf")
    ) -> None:
        self._limit_s = limit_s
        self._ends_at = float("inf")
        # The mode of a case is in its number, so that it can be sent again alone.
        cases = range(first, first + count)
        self._numbers = {mode: iter(cases[i::3]) for i, mode in enumerate(_turned(first))}
        self._lanes = min(LANES, count)
        self._seed = seed
        self._callers = make_callers()
        self.tally = Tally()

    async def run(self) -> Tally:
        """Send all cases; what breaks a law becomes a complaint, and the rest goes on."""
        self._ends_at = asyncio.get_running_loop().time() + self._limit_s
        key_server = await KeyServer().start()
        try:
            # The access log goes to the standard output as it was when a sidecar started.
            with contextlib.redirect_stdout(_Nowhere()):
                async with asyncio.TaskGroup() as lanes:
                    for lane in range(self._lanes):
                        lanes.create_task(self._drive(lane, key_server.url))
        finally:
            await key_server.stop()
        return self.tally

    async def _drive(self, lane: int, jwks_url: str) -> None:
        mode = list(self._numbers)[lane % len(MODES)]
        recorder = Recorder()
        upstream = await recorder.start()
        try:
            async with _running(mode, jwks_url, upstream) as address:
                for number in self._numbers[mode]:
                    if asyncio.get_running_loop().time() > self._ends_at:
                        break
                    await self._try(number, mode, address, recorder)
        finally:
            recorder.stop()

    async def _try(self, number: int, mode: str, address: Address, recorder: Recorder) -> None:
        random = Random(f"{self._seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
        case = make_case(random, number)
        sent = fill_in(case.raw, self._callers)
        pieces = cut(random, sent)
        received, is_closed = await _talk(address, pieces, case)
        recorded = recorder.take()
        evidence = Evidence(case, sent, mode, received, is_closed, recorded)
        try:
            seen = judge(evidence, self._callers)
        except Exception as error:  # noqa: BLE001 - a parser that chokes is a finding like any other
            self._complain(number, evidence, error)
            seen = []
        self._count(evidence, len(seen))

    def _complain(self, number: int, evidence: Evidence, error: Exception) -> None:
        self.tally.complaints.append(
            f"--seed {self._seed} --first {number} --count 1 ({evidence.mode}, "
            f"{evidence.case.kind}): {type(error).__name__}: {error}\n"
            f"  sent (tokens by name): {evidence.case.raw!r}\n"
            f"  received: {evidence.received!r}\n"
            f"  at the backend: {evidence.recorded!r}"
        )

    def _count(self, evidence: Evidence, arrived: int) -> None:
        kind = evidence.case.kind
        self.tally.cases[kind] += 1
        self.tally.arrived[kind] += arrived
        self.tally.silent[kind] += not evidence.is_closed
        for line in evidence.received.split(b"HTTP/1.1 ")[1:]:
            self.tally.answers[line[:3].decode("latin-1")] += 1


def _turned(first: int) -> tuple[str, ...]:
    """Return the modes of the cases `first`, `first + 1` and `first + 2`."""
    at = first % len(MODES)
    return (*MODES[at:], *MODES[:at])


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


class _Client(asyncio.Protocol):
    def __init__(self) -> None:
        self.received = bytearray()
        self.closed = asyncio.get_running_loop().create_future()

    async def until_silent(self, patience_s: float) -> None:
        """Return once the connection is closed, or nothing came for so long.

        Silence is counted in naps, not by the clock: a machine that stands still for a moment gives
        an answer that is on its way the turns of the loop that it needs.
        """
        received, naps = 0, 0
        while not self.closed.done() and naps < _NAPS:
            await asyncio.wait((self.closed,), timeout=patience_s / _NAPS)
            naps = naps + 1 if len(self.received) == received else 0
            received = len(self.received)

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.closed.done():
            self.closed.set_result(None)


async def _talk(address: Address, pieces: list[bytes], case: Case) -> tuple[bytes, bool]:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(_Client, address.host, address.port)
    for piece in pieces:
        if transport.is_closing():
            break
        transport.write(piece)
        await asyncio.sleep(0)  # a turn of the loop, in which the sidecar reads this segment
    patience_s = SILENCE_S if case.spoken is None else PATIENCE_S
    await client.until_silent(patience_s)
    is_closed = client.closed.done()
    transport.abort()
    await client.closed
    for _ in range(3):  # turns in which the sidecar notices, and drops what it had begun
        await asyncio.sleep(0)
    return bytes(client.received), is_closed


@contextlib.asynccontextmanager
async def _running(mode: str, jwks_url: str, upstream: Address) -> AsyncIterator[Address]:
    settings = {
        "user_pool_id": mint.POOL_ID,
        "user_pool_client_id": mint.CLIENT_ID,
        "jwks_url": jwks_url,
        "upstream": f"http://{upstream}",
        "listen": "127.0.0.1:0",
        "admin_listen": "127.0.0.1:0",
        "mode": mode,
    }
    async with Sidecar(load(settings, {})) as sidecar:
        await sidecar.until_ready()
        yield sidecar.address
