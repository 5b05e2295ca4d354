"""SIGHUP: other settings for a running sidecar. Valid ones take over, others change nothing."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from sidecar.config import RELOADABLE, Settings
from sidecar.errors import SettingsInvalid
from sidecar.setting_texts import display_name, start_up_lines

_log = logging.getLogger("sidecar.settings")


class Reloadable(Protocol):
    """What runs by settings, and can run by others; see `server.Sidecar`."""

    settings: Settings
    reloads: int
    failed_reloads: int

    async def reload(self, settings: Settings) -> None:
        """Go on with other settings; raises SettingsInvalid and stays with the old ones."""
        ...


class Reloader:
    """Reads the settings again. A class because only one reading may be under way.

    Args:
        running: What runs by the settings.
        load_again: Gathers them from where they came from.
    """

    def __init__(self, running: Reloadable, load_again: Callable[[], Settings]) -> None:
        self._running = running
        self._load_again = load_again
        self._task: asyncio.Task[None] | None = None
        self._is_asked_again = False

    def trigger(self) -> None:
        """Read the settings again, now or as soon as the reading under way is over."""
        if self._task is not None and not self._task.done():
            self._is_asked_again = True
            return
        self._task = asyncio.get_running_loop().create_task(self._reload())

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _reload(self) -> None:
        self._is_asked_again = True
        while self._is_asked_again:
            self._is_asked_again = False
            await self._reload_once()

    async def _reload_once(self) -> None:
        running = self._running
        try:
            wanted = self._load_again()
            applied = _as_far_as_possible(running.settings, wanted)
            await running.reload(applied)
        except SettingsInvalid as error:
            running.failed_reloads += 1
            for problem in error.problems:
                _log.error("settings not changed: %s", problem)
            return
        running.reloads += 1
        _log.info("settings changed; in force: %s", " ".join(start_up_lines(applied)))


def _as_far_as_possible(current: Settings, wanted: Settings) -> Settings:
    """Take over what a running sidecar can change, and say what waits for the next start."""
    for name in Settings.model_fields:
        if name not in RELOADABLE and getattr(current, name) != getattr(wanted, name):
            _log.warning("%s changed: takes effect at the next start", display_name(name))
    return current.model_copy(update={name: getattr(wanted, name) for name in RELOADABLE})
