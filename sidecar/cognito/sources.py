"""The key sources of all pools in use: started, kept over a change of settings, stopped."""

import asyncio
from collections.abc import Iterable, Mapping

import aiohttp

from sidecar.cognito.jwks import JwksSource


class JwksSources:
    """Key sources that refresh themselves. A class because they run until they are stopped.

    Args:
        session: For the fetches; closed by its owner.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._running: dict[tuple[str, str], tuple[JwksSource, asyncio.Task[None]]] = {}

    def start(self, urls: Mapping[str, str]) -> dict[str, JwksSource]:
        """Return a running source for each pool; one that runs already is kept with its keys.

        Args:
            urls: By pool id, where its keys are.
        """
        return {pool_id: self._start(pool_id, url) for pool_id, url in urls.items()}

    async def stop_others(self, kept: Iterable[JwksSource]) -> None:
        """Stop all sources but those of `kept`."""
        wanted = set(kept)
        for address, (source, task) in list(self._running.items()):
            if source not in wanted:
                del self._running[address]
                task.cancel()
                await source.close()
                await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """Stop all sources."""
        await self.stop_others(())

    def _start(self, pool_id: str, url: str) -> JwksSource:
        if (pool_id, url) not in self._running:
            source = JwksSource(pool_id, url, self._session)
            task = asyncio.get_running_loop().create_task(source.run())
            self._running[pool_id, url] = source, task
        return self._running[pool_id, url][0]
