"""Assembles everything and owns the lifecycle: start, ready, drain, stop.

The only file that knows all rooms; it introduces them to each other and does nothing else.
"""

import asyncio
import contextlib
import errno
import signal
import sys
from collections.abc import AsyncIterator
from typing import Self

import aiohttp
from aiohttp import web
from aiohttp.http_parser import HttpRequestParser

from sidecar.cognito import issuer
from sidecar.cognito.jwks import JwksSource
from sidecar.cognito.revocation import RevocationCheck
from sidecar.config import ANY_CLIENT, Settings
from sidecar.errors import KeysUnavailable, ListenFailed
from sidecar.identity.authenticator import Authenticator, Pool
from sidecar.identity.claims import ClaimRules
from sidecar.identity.keyset import assert_cryptography_backend
from sidecar.model import Address
from sidecar.ops.access_log import AccessLog
from sidecar.ops.admin import Admin
from sidecar.policy.routes import Mode, Route, RouteTable
from sidecar.proxy.downstream import ClientServer
from sidecar.proxy.gateway import Gateway, Rules
from sidecar.proxy.identification import Identification
from sidecar.proxy.upstream import UpstreamPool
from sidecar.proxy.upstream_connection import UpstreamTimeouts


class Sidecar:
    """A running sidecar. Use as an asynchronous context manager; leaving it drains and stops.

    Attributes:
        address: Where the public port listens, with the port the system chose.
        admin_address: The same of the admin port.
    """

    def __init__(self, settings: Settings) -> None:
        assert_cryptography_backend()
        _assert_c_parser()
        self._settings = settings
        self._cleanup = contextlib.AsyncExitStack()
        self.address = settings.listen
        self.admin_address = settings.admin_listen

    async def __aenter__(self) -> Self:
        """Start: live at once, ready as soon as every pool's keys are there.

        Raises:
            ListenFailed: An address is in use or not ours.
        """
        async with self._cleanup:
            await self._start()
            self._cleanup = self._cleanup.pop_all()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop accepting, let requests in flight finish, then close everything."""
        self._gateway.is_draining = True
        await self._cleanup.aclose()

    async def _start(self) -> None:
        settings = self._settings
        session = await self._cleanup.enter_async_context(aiohttp.ClientSession())
        self._sources = {
            pool_id: JwksSource(pool_id, settings.jwks_url or issuer.jwks_url(pool_id), session)
            for pool_id in settings.user_pool_id
        }
        for source in self._sources.values():
            await self._cleanup.enter_async_context(_running(source))
        log = AccessLog(sys.stdout.write)
        self._cleanup.callback(log.flush)
        upstream = UpstreamPool(settings.upstream, _timeouts(settings))
        self._cleanup.callback(upstream.close)
        authenticator = Authenticator(_pools(settings, self._sources), settings.headers)
        identification = Identification(
            authenticator, self._sources, _revocation_check(settings, session)
        )
        self._gateway = Gateway(_rules(settings), identification, upstream, log.log)
        server = ClientServer(self._gateway.handle, self._gateway.refuse_unreadable)
        # Stopped in reverse: the public port drains first, and the admin port tells of it.
        admin = web.AppRunner(Admin(self.what_is_missing).application(), access_log=None)
        self.admin_address = await self._listen(admin, settings.admin_listen)
        public = web.ServerRunner(server, shutdown_timeout=settings.timeouts.drain_s)
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

    async def _listen(self, runner: web.BaseRunner, address: Address) -> Address:
        await runner.setup()
        self._cleanup.push_async_callback(runner.cleanup)
        site: web.BaseSite
        if address.path:
            site = web.UnixSite(runner, address.path)
        else:
            site = web.TCPSite(runner, address.host, address.port)
        try:
            await site.start()
        except OSError as error:
            raise ListenFailed(_why_not(address, error)) from error
        if address.path:
            return address
        return Address(address.host, runner.addresses[0][1])


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then drain and return."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with Sidecar(settings):
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await stop.wait()


@contextlib.asynccontextmanager
async def _running(source: JwksSource) -> AsyncIterator[None]:
    task = asyncio.get_running_loop().create_task(source.run())
    try:
        yield
    finally:
        task.cancel()
        await source.close()
        await asyncio.gather(task, return_exceptions=True)


def _pools(settings: Settings, sources: dict[str, JwksSource]) -> list[Pool]:
    clients = settings.user_pool_client_id
    return [
        Pool(
            pool_id,
            ClaimRules(
                issuers=frozenset(settings.issuer) or issuer.issuers(pool_id),
                clients=None if ANY_CLIENT in clients else frozenset(clients),
                token_uses=frozenset(settings.token_use),
            ),
            source,
        )
        for pool_id, source in sources.items()
    ]


def _revocation_check(
    settings: Settings, session: aiohttp.ClientSession
) -> RevocationCheck | None:
    if settings.revocation_check_s == 0:
        return None
    endpoints = {
        pool_id: settings.cognito_endpoint or issuer.api_url(pool_id)
        for pool_id in settings.user_pool_id
    }
    return RevocationCheck(endpoints, session, settings.revocation_check_s)


def _rules(settings: Settings) -> Rules:
    routes = [
        Route(
            path=route.path,
            mode=Mode(route.mode),
            methods=frozenset(route.methods),
            groups=frozenset(route.groups),
            scopes=frozenset(route.scopes),
        )
        for route in settings.routes
    ]
    return Rules(
        routes=RouteTable(routes, Mode(settings.mode)),
        owned=frozenset(name.lower().encode() for name in settings.headers),
        forward_token=settings.forward_token,
        cors_origins=frozenset(origin.encode() for origin in settings.cors_origins),
        trusted_proxies=settings.trusted_proxies,
    )


def _timeouts(settings: Settings) -> UpstreamTimeouts:
    timeouts = settings.timeouts
    return UpstreamTimeouts(
        connect_s=timeouts.connect_s,
        head_s=timeouts.head_s,
        idle_body_s=timeouts.idle_body_s,
        keep_idle_s=timeouts.keep_idle_s,
    )


def _assert_c_parser() -> None:
    # The pure Python parser of aiohttp is a fallback with a history of its own (CVE-2023-47627).
    if HttpRequestParser.__module__ != "aiohttp._http_parser":
        msg = "aiohttp's C parser is not loaded; install aiohttp from a wheel"
        raise RuntimeError(msg)


def _why_not(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen on {address}: the port is taken by another process"
    return f"cannot listen on {address}: {error.strerror or error}"
