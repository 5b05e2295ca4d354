"""Start, serve, be told to stop, drain: the same for one process and for a crew of them."""

import asyncio
import contextlib
import logging
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

from sidecar.config import Settings
from sidecar.model import Address
from sidecar.reloading import Reloadable, Reloader
from sidecar.setting_texts import start_up_lines

_log = logging.getLogger("sidecar")


class Service(Reloadable, ABC):
    """What starts when it is entered, and drains when it is left.

    Attributes:
        address: Where the public port listens, with the port that the system chose.
        admin_address: The same of the admin port.
    """

    address: Address
    admin_address: Address

    def __init__(self) -> None:
        self._cleanup = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start, wholly or not at all.

        Raises:
            ListenFailed: An address is in use or not ours.
            SettingsInvalid: It cannot run by its settings.
            WorkerFailed: A worker ends before it serves.
        """
        async with self._cleanup:
            await self._start()
            self._cleanup = self._cleanup.pop_all()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Let requests in flight finish, then close everything, the latest begun first."""
        self.retire()
        await self._cleanup.aclose()

    @abstractmethod
    async def _start(self) -> None:
        """Start, and leave in `_cleanup` how to stop."""

    @abstractmethod
    def retire(self) -> None:
        """Say that it is not ready any more, and close each connection after its next answer."""

    @abstractmethod
    def abort(self) -> None:
        """Break off whatever is under way."""


class _Signals:
    """SIGTERM and SIGINT. A class because the second one means something else than the first."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._first = asyncio.Event()
        self._hurry = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._receive, number)

    async def wait(self, grace_s: float) -> None:
        """Wait for the first signal, and after SIGTERM for those who must learn of it to do so."""
        await self._first.wait()
        self._service.retire()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._hurry.wait()

    def _receive(self, number: signal.Signals) -> None:
        if self._first.is_set():
            self._service.abort()
        if self._first.is_set() or number == signal.SIGINT:  # somebody sits there and waits
            self._hurry.set()
        self._first.set()


async def run(service: Service, load_again: Callable[[], Settings]) -> None:
    """Run until SIGTERM or SIGINT, then drain and return; a second signal stops at once.

    Args:
        service: What is to run.
        load_again: Gathers the settings anew at SIGHUP.
    """
    settings = service.settings
    for line in start_up_lines(settings):
        _log.info("%s", line)
    async with service:
        _log.info("listening on %s, admin on %s", service.address, service.admin_address)
        reloader = Reloader(service, load_again)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.trigger)
        try:
            await _Signals(service).wait(settings.timeouts.grace_s)
        finally:
            await reloader.close()
