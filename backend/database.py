"""One SQLite file and the connections to it. Knows no table; every SQLite error ends here.

Safe for many threads and processes: WAL lets readers go on while one writer writes, each
statement is its own transaction, and a connection serves one operation at a time.
"""

import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from backend.errors import StoreUnavailable

# How long a writer waits for another process to finish. A write takes about a millisecond, so
# five seconds means a stuck disk; much longer would tie up the worker's threads one by one.
BUSY_TIMEOUT_S = 5.0


class Database:
    """Lends connections to one file. A class because it owns the idle ones until `close`.

    Connections are opened by the operations that need them, so a database made before a fork
    shares none with the children (SQLite, "How To Corrupt An SQLite Database File", §2.6).
    """

    def __init__(self, path: Path) -> None:
        # Resolved now: a later change of the working directory must not mean another file.
        self._path = path.resolve()
        self._idle: deque[sqlite3.Connection] = deque()

    def prepare(self, schema: str) -> None:
        """Create folder and file where missing, then run `schema`, which must be repeatable.

        Several processes may do so at the same time. Keeps no connection open.

        Raises:
            StoreUnavailable: The path cannot be created, or is not a database.
        """
        folder = self._path.parent
        with _sqlite_errors_translated():
            folder.mkdir(parents=True, exist_ok=True)
            with _only_one_at_a_time(folder), closing(self._open("rwc")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(schema)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend an idle connection or a new one; one that saw an error is closed, not reused.

        Raises:
            StoreUnavailable: SQLite refused to open the file, or what the block asked for.
        """
        with _sqlite_errors_translated():
            connection = self._take()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    @contextmanager
    def fresh_connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a new connection and close it. It fails where the file is gone.

        An idle one would not notice a deleted file: it goes on with the nameless remains.

        Raises:
            StoreUnavailable: As `connection`.
        """
        with _sqlite_errors_translated(), closing(self._open("rw")) as connection:
            yield connection

    def close(self) -> None:
        """Close idle connections. An operation after that simply opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open("rw")

    def _open(self, mode: str) -> sqlite3.Connection:
        """Open the file. Only mode `rwc` creates it: a lost database is not replaced unseen."""
        return sqlite3.connect(
            f"{self._path.as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )


@contextmanager
def _sqlite_errors_translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise StoreUnavailable("the activity store cannot be used at the moment") from error


@contextmanager
def _only_one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait for other processes that prepare a database in `folder`, and make them wait.

    The switch to WAL does not honour the busy timeout: of four processes that started together on
    no file, one in eight failed with "database is locked" (Linux, SQLite 3.40). The lock is on
    the folder, since closing the file itself would drop SQLite's own locks on it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
