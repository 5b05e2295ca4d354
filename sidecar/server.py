"""Assembles everything and owns the lifecycle: start, ready, drain, stop.

The only file that knows all rooms; it introduces them to each other and does nothing else.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.http_parser import HttpRequestParser

from sidecar import assembly, lifecycle
from sidecar.cognito.jwks import JwksSource
from sidecar.cognito.revocation import RevocationCheck
from sidecar.cognito.sources import JwksSources
from sidecar.config import Settings
from sidecar.errors import KeysUnavailable, SettingsInvalid
from sidecar.identity.authenticator import Authenticator, Pool
from sidecar.identity.keyset import assert_cryptography_backend
from sidecar.listener import Listener
from sidecar.model import Address
from sidecar.operations import Operations
from sidecar.ops.metrics import KeyReading, Readings
from sidecar.proxy.downstream import ClientServer
from sidecar.proxy.gateway import Gateway, Rules
from sidecar.proxy.identification import Identification
from sidecar.proxy.outbox import Outbox
from sidecar.proxy.relay import Relay
from sidecar.proxy.upstream import UpstreamPool

RELOAD_S = 5.0
"""For the keys of new pools; a pool that gives none in this time is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Change:
    """Other settings, with everything that is needed to go on by them."""

    settings: Settings
    sources: Mapping[str, JwksSource]
    rules: Rules


class Sidecar(lifecycle.Service):
    """A running sidecar. Use as an asynchronous context manager; leaving it drains and stops.

    Args:
        settings: What to run by.
        inherited: For one of several workers: sockets that listen already, where the others listen
            too, by address. A worker has no admin port; its supervisor has. None for one alone.

    Attributes:
        address: Where the public port listens, with the port the system chose.
        admin_address: The same of the admin port.
        verify_address: The same of the port for other proxies' questions; None if there is none.
        settings: Those in force.
        operations: What is noted of its requests.
        reloads: How often they were changed.
        failed_reloads: How often they should have been, and could not.
    """

    def __init__(
        self, settings: Settings, inherited: Mapping[Address, socket.socket] | None = None
    ) -> None:
        super().__init__()
        assert_cryptography_backend()
        _assert_c_parser()
        self.settings = settings
        self._inherited = inherited
        self.reloads = 0
        self.failed_reloads = 0
        self.address = settings.listen
        self.admin_address = settings.admin_listen
        self.verify_address = settings.verify_listen

    def retire(self) -> None:
        """Say that it is not ready any more, and close each connection after its next answer."""
        self._gateway.is_draining = True

    def abort(self) -> None:
        """Break off whatever is under way."""
        self._server.abort()

    async def _start(self) -> None:
        settings = self.settings
        session = await self._cleanup.enter_async_context(aiohttp.ClientSession())
        self._all_sources = JwksSources(session)
        self._cleanup.push_async_callback(self._all_sources.close)
        urls = assembly.jwks_urls(settings)
        self._sources: Mapping[str, JwksSource] = self._all_sources.start(urls)
        self._session = session
        operations = self.operations = Operations(self)
        self._cleanup.push_async_callback(operations.close)
        outbox = Outbox(asyncio.get_running_loop())
        upstream = UpstreamPool(
            settings.upstream,
            assembly.upstream_timeouts(settings),
            settings.limits.backend_connections,
            outbox,
        )
        self._cleanup.callback(upstream.close)
        self._upstream = upstream
        timeouts, limits = assembly.client_timeouts(settings), assembly.client_limits(settings)
        relay = Relay(upstream, timeouts, limits)
        self._gateway = Gateway(
            self._make_rules(settings, self._sources), relay, operations.observe, outbox
        )
        self._server = ClientServer(self._gateway.handle, self._gateway, timeouts, limits, outbox)
        # Stopped in reverse: the public port drains first, and the admin port tells of it.
        if settings.verify_listen is not None:
            verifier = ClientServer(self._gateway.verify, self._gateway, timeouts, limits, outbox)
            drain_s = settings.timeouts.drain_s
            asked = web.ServerRunner(verifier, shutdown_timeout=drain_s)
            self.verify_address = await self._listen(asked, settings.verify_listen)
        if self._inherited is None:
            admin = web.AppRunner(operations.application(), access_log=None)
            self.admin_address = await self._listen(admin, settings.admin_listen)
        public = web.ServerRunner(self._server, shutdown_timeout=settings.timeouts.drain_s)
        self.address = await self._listen(public, settings.listen)

    def what_is_missing(self) -> list[str]:
        """Say in words what keeps the sidecar from serving; empty when it is ready."""
        missing = ["draining"] if self._gateway.is_draining else []
        for pool_id, source in self._sources.items():
            try:
                source.current()
            except KeysUnavailable:
                missing.append(f"keys of pool {pool_id}")
        return missing

    async def until_ready(self) -> None:
        """Wait until the keys of every pool are there."""
        for source in self._sources.values():
            await source.until_fetched()

    async def reload(self, settings: Settings) -> None:
        """Carry all further requests by other settings, as far as `RELOADABLE` has them.

        Requests under way end by the settings they began with. Nothing changes before the keys of
        every new pool are there.

        Raises:
            SettingsInvalid: A new pool gives no keys; the old settings stay.
        """
        await self.adopt(await self.prepare(settings))

    async def prepare(self, settings: Settings) -> Change:
        """Do for a change what may fail; either `adopt` or `discard` is to follow.

        Raises:
            SettingsInvalid: A new pool gives no keys; nothing is left to discard.
        """
        sources = self._all_sources.start(assembly.jwks_urls(settings))
        try:
            await _until_keys(sources)
            return Change(settings, sources, self._make_rules(settings, sources))
        except BaseException:
            await self.discard()
            raise

    async def adopt(self, change: Change) -> None:
        """Carry all further requests by the settings of a change."""
        self._gateway.rules = change.rules
        self._sources = change.sources
        self.settings = change.settings
        await self.discard()

    async def discard(self) -> None:
        """Forget whatever was prepared and is not in force."""
        await self._all_sources.stop_others(self._sources.values())

    def read(self) -> Readings:
        """Take the readings that the metrics show beside their counts."""
        cache = self._gateway.rules.identification.authenticator.cache
        return Readings(
            in_flight=self._gateway.in_flight,
            connections=self._server.open_count,
            upstream_open=self._upstream.open_count,
            upstream_idle=self._upstream.idle_count,
            cache_entries=len(cache),
            cache_hits=cache.hits,
            cache_misses=cache.misses,
            reloads=self.reloads,
            failed_reloads=self.failed_reloads,
            keys=tuple(_reading(pool_id, source) for pool_id, source in self._sources.items()),
        )

    def pools(self) -> list[Pool]:
        """Return the pools in force, with their keys of this moment."""
        return assembly.make_pools(self.settings, self._sources)

    def _make_rules(self, settings: Settings, sources: Mapping[str, JwksSource]) -> Rules:
        pools = assembly.make_pools(settings, sources)
        authenticator = Authenticator(pools, settings.headers)
        return assembly.make_rules(
            settings, Identification(authenticator, sources, self._revocation_check(settings))
        )

    def _revocation_check(self, settings: Settings) -> RevocationCheck | None:
        if settings.revocation_check_s == 0:
            return None
        endpoints = assembly.cognito_endpoints(settings)
        return RevocationCheck(endpoints, self._session, settings.revocation_check_s)

    async def _listen(self, runner: web.BaseRunner, address: Address) -> Address:
        listener = Listener(runner, address, (self._inherited or {}).get(address))
        self._cleanup.push_async_callback(listener.stop)
        return await listener.start()


async def serve(settings: Settings, load_again: Callable[[], Settings]) -> None:
    """Run in this process alone until SIGTERM or SIGINT; see `lifecycle.run`."""
    await lifecycle.run(Sidecar(settings), load_again)


async def _until_keys(sources: Mapping[str, JwksSource]) -> None:
    try:
        async with asyncio.timeout(RELOAD_S):
            for source in sources.values():
                await source.until_fetched()
    except TimeoutError:
        problem = f"a pool gives no keys within {RELOAD_S:g} s; the settings before stay in force"
        raise SettingsInvalid([problem]) from None


def _reading(pool_id: str, source: JwksSource) -> KeyReading:
    try:
        kids = tuple(source.current())
    except KeysUnavailable:
        kids = ()
    return KeyReading(pool_id, kids, source.age_s, source.fetches, source.failed_fetches)


def _assert_c_parser() -> None:
    # The pure Python parser of aiohttp is a fallback with a history of its own (CVE-2023-47627).
    if HttpRequestParser.__module__ != "aiohttp._http_parser":
        msg = "aiohttp's C parser is not loaded; install aiohttp from a wheel"
        raise RuntimeError(msg)
