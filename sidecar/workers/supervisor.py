"""What the command line runs where there is to be more than one worker."""

import asyncio
import sys
from collections.abc import Callable

from sidecar import lifecycle
from sidecar.config import Settings
from sidecar.ops import logs
from sidecar.workers.crew import Crew
from sidecar.workers.output import SharedOutput, make_lock


def supervise(settings: Settings, count: int, load_again: Callable[[], Settings]) -> None:
    """Run workers until SIGTERM or SIGINT, then drain them; see `lifecycle.run`.

    Args:
        settings: What to run by.
        count: How many workers.
        load_again: Gathers the settings anew at SIGHUP.

    Raises:
        SettingsInvalid: No worker can run by these settings.
        ListenFailed: An address is in use or not ours.
        WorkerFailed: A worker ends before it serves.
    """
    lock = make_lock()
    sys.stdout = SharedOutput(sys.stdout.fileno(), lock)
    logs.set_up(settings.log_format, sys.stdout)

    async def run() -> None:
        await lifecycle.run(Crew(settings, count, lock), load_again)

    # Not on uvloop: it gives each child a clean signal mask, and one Ctrl-C would end a worker that
    # is still starting.
    asyncio.run(run())
