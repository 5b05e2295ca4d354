"""The addresses that all workers share, taken once before the first of them starts.

So a port that is taken is found once, and port 0 is one port for all. A TCP port is only reserved
here: a socket that never listens gets no connection (SO_REUSEPORT, socket(7)). Unix sockets know no
such sharing: one listens, and every worker inherits it.
"""

import contextlib
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar.config import Settings
from sidecar.errors import ListenFailed
from sidecar.listener import BACKLOG, bind, why_not
from sidecar.model import Address

_NAMES = ("listen", "verify_listen")


class Doors:
    """The addresses, taken. A class because they are held as long as there are workers.

    Attributes:
        taken: By name of the setting, with the ports that the system chose.
    """

    def __init__(self) -> None:
        self.taken: dict[str, Address] = {}
        self._held = contextlib.ExitStack()
        self._unix: dict[str, socket.socket] = {}
        self._made: dict[str, tuple[int, int]] = {}

    async def take(self, settings: Settings) -> None:
        """Take the addresses where workers are to listen.

        Raises:
            ListenFailed: One is in use or not ours.
        """
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(self.close)
            for name in _NAMES:
                address = getattr(settings, name)
                if address is not None:
                    self.taken[name] = await self._take(address)
            cleanup.pop_all()

    @property
    def sockets(self) -> Mapping[str, int]:
        """Descriptors of the Unix sockets, by path."""
        return {path: listening.fileno() for path, listening in self._unix.items()}

    def settings_for_workers(self, settings: Settings) -> Mapping[str, Any]:
        """Write settings as JSON, with the addresses that were taken."""
        theirs = settings.model_copy(update=self.taken)
        return theirs.model_dump(mode="json", exclude_defaults=True)

    def shut(self) -> None:
        """Let nobody else come to the Unix sockets; who waits there already is the workers'."""
        for path, listening in self._unix.items():
            with contextlib.suppress(OSError):
                if _identity(path) == self._made[path]:  # another process may have taken it over
                    Path(path).unlink()
            listening.close()

    def close(self) -> None:
        """Hold nothing any more."""
        self._held.close()

    async def _take(self, address: Address) -> Address:
        try:
            if address.path:
                self._unix[address.path] = self._held.enter_context(_listen(address.path))
                self._made[address.path] = _identity(address.path)
                return address
            taken, sockets = await bind(address)
        except OSError as error:
            raise ListenFailed(why_not(address, error)) from error
        for reserved in sockets:
            self._held.enter_context(reserved)
        return taken


def _identity(path: str) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_dev, found.st_ino


def _listen(path: str) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(Path(path).stat().st_mode):  # left by whoever was here before
            Path(path).unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)  # noqa: FBT003 - the standard library's signature
        listening.bind(path)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening
