"""The identity core for code that has no event loop: it runs in a thread, and is asked from others.

Keys, cache and clock belong to that one thread, as they belong to the event loop of a sidecar. So
nothing of them has to know of threads, and a decision is the same in both.
"""

import asyncio
import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import CancelledError

import aiohttp

from sidecar import assembly
from sidecar.cognito.jwks import FETCH_TIMEOUT_S
from sidecar.cognito.revocation import RevocationCheck
from sidecar.cognito.sources import JwksSources
from sidecar.config import Settings
from sidecar.errors import KeysUnavailable
from sidecar.identity.authenticator import Authenticator
from sidecar.identity.keyset import assert_cryptography_backend
from sidecar.model import Caller
from sidecar.policy.routes import Route
from sidecar.proxy.headers import ClientFields
from sidecar.proxy.identification import Identification

ANSWER_S = 10.0
"""For one decision: keys and revocation take 3 s each at most; after more the thread is gone."""


class IdentityThread:
    """Identifies callers for any thread. A class because it owns a thread, an event loop and keys.

    The thread starts with the first question and not before: a server that loads an application and
    then forks (`gunicorn --preload`) must find no thread. One that held a lock in that moment, such
    as that of an import, would hold it in every child for ever. The child of a process that has
    been asked already starts a thread of its own.

    Args:
        settings: As for a sidecar; those about connections mean nothing here.
    """

    def __init__(self, settings: Settings) -> None:
        assert_cryptography_backend()
        self._settings = settings
        self._lock = threading.Lock()
        self._core: _Core | None = None
        atexit.register(self.close)
        _THREADS.add(self)

    def identify(self, method: str, fields: ClientFields, route: Route) -> Caller:
        """Find out who sends a request, and wait for it; raises as `Identification.identify`.

        Early requests wait for the first fetch of keys: nothing like a readiness probe holds them
        back from an application.

        Raises:
            KeysUnavailable: As there, and if the thread gives no answer within `ANSWER_S`.
        """
        core = self._core
        if core is None:
            with self._lock:
                core = self._core = self._core or _Core(self._settings)
        return core.identify(method, fields, route)

    def close(self) -> None:
        """Stop the thread, and wait until it has; whoever asks after that starts another."""
        atexit.unregister(self.close)
        core, self._core = self._core, None
        if core is not None:
            core.stop()

    def forget(self) -> None:
        """In a child process: neither the thread nor a holder of the lock is there any more."""
        self._lock = threading.Lock()
        self._core = None


class _Core:
    """One run of the thread. A class because the thread's own values live as long as it does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._stopping = asyncio.Event()
        self._has_looked = threading.Event()
        self._identification: Identification | None = None
        self._thread = threading.Thread(target=self._run, name="cognito-identity", daemon=True)
        self._thread.start()

    def identify(self, method: str, fields: ClientFields, route: Route) -> Caller:
        self._has_looked.wait(FETCH_TIMEOUT_S + 1)
        if self._identification is None:
            raise KeysUnavailable("a thread that fetches keys")
        return self._ask(self._identification.identify(method, fields, route))

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(ANSWER_S)

    def _ask(self, question: Coroutine[None, None, Caller]) -> Caller:
        try:
            answer = asyncio.run_coroutine_threadsafe(question, self._loop)
        except RuntimeError as error:  # stopped in this moment
            question.close()
            raise KeysUnavailable("a thread that has keys") from error
        try:
            return answer.result(ANSWER_S)
        except (TimeoutError, CancelledError) as error:
            answer.cancel()
            raise KeysUnavailable("an answer of the thread that has keys") from error

    def _run(self) -> None:
        try:
            with self._runner:
                self._runner.run(self._serve())
        finally:
            self._has_looked.set()

    async def _serve(self) -> None:
        async with aiohttp.ClientSession() as session:
            sources = JwksSources(session)
            running = sources.start(assembly.jwks_urls(self._settings))
            pools = assembly.make_pools(self._settings, running)
            authenticator = Authenticator(pools, self._settings.headers)
            revocation = _revocation_check(self._settings, session)
            self._identification = Identification(authenticator, running, revocation)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FETCH_TIMEOUT_S):
                    await asyncio.gather(*(source.until_fetched() for source in running.values()))
            self._has_looked.set()
            await self._stopping.wait()
            await sources.close()


def _revocation_check(settings: Settings, session: aiohttp.ClientSession) -> RevocationCheck | None:
    if settings.revocation_check_s == 0:
        return None
    endpoints = assembly.cognito_endpoints(settings)
    return RevocationCheck(endpoints, session, settings.revocation_check_s)


_THREADS: weakref.WeakSet[IdentityThread] = weakref.WeakSet()


def _forget_all() -> None:
    for thread in _THREADS:
        thread.forget()


os.register_at_fork(after_in_child=_forget_all)
