"""The keys of one pool: fetch, refresh, survive an outage.

A bad document never replaces a good one, and nobody outside decides how often Cognito is asked.
"""

import asyncio
import logging
import random
from http import HTTPStatus

import aiohttp

from sidecar.errors import KeysUnavailable
from sidecar.identity.keyset import KeySet, KeySetInvalid, parse_key_set

REFRESH_S = 900.0
"""Between background refreshes; a removed key is noticed within this time."""

JITTER = 0.1
"""Share of the interval by which sidecars started together drift apart."""

REFETCH_S = 10.0
"""At most one fetch per this time for unknown kids, however many are made up."""

FIRST_RETRY_S = 0.5
"""After a failed fetch; doubled up to `REFETCH_S`, so that an outage heals within that time."""

STALE_S = 24 * 3600.0
"""How long keys are trusted without a successful fetch: the longest life of a token."""

FETCH_TIMEOUT_S = 3.0
"""For one fetch in all, so that a dripping server holds nobody up."""

MAX_DOCUMENT_BYTES = 256 * 1024
"""Cognito's documents have about 1 KiB."""

MAX_WAITING = 100
"""Requests that may wait for one fetch; the rest are told to come back, and hold no memory."""

_log = logging.getLogger("sidecar.jwks")


class FetchFailed(Exception):
    """The key server gave no usable key set. The message may be logged."""


class JwksSource:
    """The current keys of one pool. A class because keys have a lifetime.

    Args:
        pool_id: For log lines.
        url: Where the JWKS is.
        session: For the fetches; closed by its owner.

    Attributes:
        fetches: Begun so far.
        failed_fetches: Those that gave no usable key set.
    """

    def __init__(self, pool_id: str, url: str, session: aiohttp.ClientSession) -> None:
        self._pool_id = pool_id
        self._url = url
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._keys: KeySet | None = None
        self._fetched = asyncio.Event()
        self._fetched_at = 0.0
        self._attempted_at = float("-inf")
        self._failures = 0
        self.fetches = 0
        self.failed_fetches = 0
        self._jitter = 1.0
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = 0

    def current(self) -> KeySet:
        """Return the keys that the pool signs with now, without waiting.

        Raises:
            KeysUnavailable: None were ever fetched, or not for `STALE_S`.
        """
        if self._keys is None or self._loop.time() - self._fetched_at > STALE_S:
            raise KeysUnavailable("keys of the pool", retry_after_s=1)
        return self._keys

    @property
    def age_s(self) -> float | None:
        """Seconds since the last good fetch; None before the first."""
        return self._loop.time() - self._fetched_at if self._keys is not None else None

    async def until_fetched(self) -> None:
        """Wait until keys were fetched once."""
        await self._fetched.wait()

    async def seek(self, kid: str) -> None:
        """Fetch the keys because `kid` is not among them, within the budget of `REFETCH_S`.

        Returns when looking at `current()` again is worth while, which does not mean that `kid` is
        there now.

        Raises:
            KeysUnavailable: The key server gives no answer, so that nobody knows whether `kid` is
                good; or too many requests wait already.
        """
        if self._fetching is None and self._loop.time() - self._attempted_at >= REFETCH_S:
            self._start_fetch()
        if self._fetching is not None:
            await self._wait_for(self._fetching)
        if self._failures and kid not in self.current():
            raise KeysUnavailable("an answer of the key server", retry_after_s=int(REFETCH_S))

    async def run(self) -> None:
        """Keep the keys fresh until cancelled."""
        while True:
            due_in_s = self._attempted_at + self._interval_s() - self._loop.time()
            if self._fetching is None and due_in_s <= 0:
                self._start_fetch()
            if self._fetching is not None:
                await asyncio.wait([self._fetching])
            else:
                # Short naps, because a fetch for an unknown kid changes what is due when.
                await asyncio.sleep(min(due_in_s, FIRST_RETRY_S))

    async def close(self) -> None:
        """Give up a fetch under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def _wait_for(self, fetching: asyncio.Task[None]) -> None:
        if self._waiting >= MAX_WAITING:
            raise KeysUnavailable("an answer of the key server", retry_after_s=1)
        self._waiting += 1
        try:
            # Neither a client that leaves cancels the fetch, nor does its end cancel a request.
            await asyncio.wait([fetching])
        finally:
            self._waiting -= 1
        if fetching.cancelled():
            raise KeysUnavailable("an answer of the key server", retry_after_s=1)

    def _interval_s(self) -> float:
        if self._failures == 0:
            return REFRESH_S * self._jitter
        if self._keys is not None:
            return REFETCH_S * self._jitter
        # A power without bound overflows after hours of outage, and would end `run`.
        doublings = min(self._failures - 1, 10)
        return min(FIRST_RETRY_S * 2.0**doublings, REFETCH_S) * self._jitter

    def _start_fetch(self) -> None:
        self._jitter = random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load, hides nothing
        self._attempted_at = self._loop.time()
        self.fetches += 1
        self._fetching = self._loop.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            keys = parse_key_set(await self._fetch())
        except (FetchFailed, KeySetInvalid) as error:
            self._failures += 1
            self.failed_fetches += 1
            _log.warning("no key set for pool %s: %s", self._pool_id, error)
        except Exception:  # noqa: BLE001 - see below
            # Whatever a library may still throw: it must end neither `run`, which would leave the
            # sidecar with the keys of today for ever, nor a request that waits in `seek`.
            self._failures += 1
            self.failed_fetches += 1
            _log.exception("no key set for pool %s: a bug of ours", self._pool_id)
        else:
            self._adopt(keys)
        finally:
            self._fetching = None

    def _adopt(self, keys: KeySet) -> None:
        self._failures = 0
        self._fetched_at = self._loop.time()
        if self._keys is None or dict(keys) != dict(self._keys):
            _log.info("pool %s signs with %d keys", self._pool_id, len(keys))
            self._keys = keys
            self._fetched.set()

    async def _fetch(self) -> bytes:
        try:
            async with self._session.get(
                self._url,
                allow_redirects=False,
                auto_decompress=False,  # a bomb of 256 KiB would unfold to 256 MiB
                headers={"Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S),
            ) as response:
                if response.status != HTTPStatus.OK:
                    raise FetchFailed(f"the key server answered {response.status}")
                return await _read_limited(response.content)
        except TimeoutError as error:
            raise FetchFailed(f"no answer within {FETCH_TIMEOUT_S:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise FetchFailed(type(error).__name__) from error


async def _read_limited(content: aiohttp.StreamReader) -> bytes:
    document = bytearray()
    async for chunk in content.iter_any():
        document += chunk
        if len(document) > MAX_DOCUMENT_BYTES:
            raise FetchFailed(f"more than {MAX_DOCUMENT_BYTES} bytes")
    return bytes(document)
