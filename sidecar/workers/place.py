"""One place in a crew: whoever dies there is replaced, later and later if they die young."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from sidecar.errors import ListenFailed, SettingsInvalid, WorkerFailed
from sidecar.workers.back_off import BackOff
from sidecar.workers.child import Child

ABORT_S = 5.0
"""For a worker that was told to break off everything; then it is killed."""

_log = logging.getLogger("sidecar.workers")


class Place:
    """A place, and who serves there. A class because workers come and go.

    Args:
        number: From 1 on, for log lines.
        hire: Starts a worker.
        bury: Is told of a worker that ended without being told to.

    Attributes:
        child: Who serves there; None while somebody is only being started.
        is_closing: Whether whoever dies now is not replaced.
    """

    def __init__(
        self, number: int, hire: Callable[[], Awaitable[Child]], bury: Callable[[Child], None]
    ) -> None:
        self.number = number
        self.child: Child | None = None
        self.is_closing = False
        self._hire = hire
        self._bury = bury
        self._keeping: asyncio.Task[None] | None = None

    async def fill(self) -> Child:
        """Start a worker; raises what keeps it from serving."""
        self.child = await self._hire()
        return self.child

    def keep(self) -> None:
        """See to it from now on that somebody serves."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    def tell(self, what: str) -> None:
        """Say something to whoever is there."""
        if self.child is not None:
            self.child.link.tell(what)

    async def close(self, patience_s: float, hurry: asyncio.Event) -> None:
        """Let the worker drain and end.

        Args:
            patience_s: How long to wait before it is killed.
            hurry: Set when nobody wants to wait so long.
        """
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        child = self.child
        if child is None:
            return
        child.link.tell("stop")
        if not await _has_ended(child, patience_s, hurry):
            _log.warning("worker %d (pid %d) does not end; it is killed", self.number, child.pid)
            await child.kill()

    async def _keep(self) -> None:
        back_off = BackOff()
        while self.child is not None:
            child, how = self.child, await self.child.ended()
            self.child = None
            self._bury(child)
            wait_s = back_off.after(time.monotonic() - child.started_at)
            _log.warning("worker %d (pid %d) has ended: %s", self.number, child.pid, how)
            if not self.is_closing:
                await self._replace(back_off, wait_s)

    async def _replace(self, back_off: BackOff, wait_s: float) -> None:
        while self.child is None:
            await asyncio.sleep(wait_s)
            started_at = time.monotonic()
            try:
                child = await self.fill()
            except (SettingsInvalid, ListenFailed, WorkerFailed) as error:
                wait_s = back_off.after(time.monotonic() - started_at)
                said = "worker %d cannot start: %s; next attempt in %g s"
                _log.warning(said, self.number, error, wait_s)
            else:
                _log.info("worker %d is replaced by pid %d", self.number, child.pid)


async def _has_ended(child: Child, patience_s: float, hurry: asyncio.Event) -> bool:
    ended = asyncio.ensure_future(child.ended())
    hurried = asyncio.ensure_future(hurry.wait())
    waiting = (ended, hurried)
    await asyncio.wait(waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
    if hurried.done():
        await asyncio.wait((ended,), timeout=ABORT_S)
    has_ended = ended.done()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return has_ended
