"""A standard output that several processes share: each write is whole, and none cuts into another.

A pipe takes 4 KiB at most in one piece (PIPE_BUF, pipe(7)); a flush of the log is longer, and so
may be a single line. So whoever writes holds a lock until all of it is written. The kernel frees it
when its holder dies, and who writes five times a second never notices it.
"""

import fcntl
import io
import os
import tempfile


def make_lock() -> int:
    """Make what processes lock; returns a descriptor to be inherited, without a name anywhere."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("sidecar-output")
    with tempfile.TemporaryFile() as file:  # Linux alone has files in memory
        return os.dup(file.fileno())


class SharedOutput(io.TextIOWrapper):
    """Writes whole texts to a descriptor. A class because it stands in for `sys.stdout`.

    Args:
        descriptor: Where to; not closed with this.
        lock: From `make_lock`.
    """

    def __init__(self, descriptor: int, lock: int) -> None:
        # Buffered whatever PYTHONUNBUFFERED says, for a bare descriptor may take half a text.
        raw = io.FileIO(descriptor, "w", closefd=False)
        super().__init__(io.BufferedWriter(raw), encoding="utf-8")
        self._lock = lock

    def write(self, text: str) -> int:
        """Write all of `text`, and nothing of anybody else's in between."""
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            written = super().write(text)
            super().flush()
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)
        return written
