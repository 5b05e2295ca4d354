"""Who takes part: who is installed, and who does the work that is measured."""

import asyncio
from collections.abc import Sequence

from tests.bench import machine
from tests.bench.check import DoesOtherWork, check_proxy
from tests.bench.peers import PROXIES
from tests.bench.peers.peer import Peer
from tests.bench.plan import Plan, say
from tests.bench.processes import DidNotStart
from tests.bench.programs import why_missing
from tests.bench.results import Results
from tests.support.recording_backend import RecordingBackend


def who_is_there(names: Sequence[str], results: Results) -> list[Peer]:
    """Return those of the named peers that are installed; note the versions, and who is missing."""
    there = []
    for peer in PROXIES:
        why = why_missing(peer.program)
        if why:
            results.missing[peer.name] = why
        elif peer.name in names:
            results.versions[peer.name] = machine.version_of(peer)
            there.append(peer)
    return there


async def who_does_the_work(plan: Plan, results: Results) -> list[Peer]:
    """Ask every peer whether it does the work that is measured; return those that do."""
    fit = []
    for peer in plan.peers:
        say(f"checking {peer.name}")
        try:
            results.accepts[peer.name] = await _check(plan, peer)
            fit.append(peer)
        except (DoesOtherWork, DidNotStart) as error:
            results.missing[peer.name] = str(error)
    return fit


async def _check(plan: Plan, peer: Peer) -> list[str]:
    backend = await RecordingBackend().start()
    run = plan.run(peer, str(backend.address))
    try:
        started = await asyncio.to_thread(run.__enter__)
        try:
            return await check_proxy(started.url, backend)
        finally:
            await asyncio.to_thread(run.__exit__, None, None, None)
    finally:
        await backend.stop()
