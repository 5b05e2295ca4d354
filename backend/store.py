"""Posted activities. The only file that speaks SQL, and only with parameters."""

from datetime import datetime
from pathlib import Path

from backend.activity import Activity
from backend.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS activities (
    uuid TEXT PRIMARY KEY,
    author_sub TEXT NOT NULL,
    handle TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS activities_by_time ON activities (created_at);
CREATE INDEX IF NOT EXISTS activities_by_handle ON activities (handle, created_at);
"""

_FORGET_EXPIRED = "DELETE FROM activities WHERE expires_at <= ?"

_INSERT = """
INSERT INTO activities (uuid, author_sub, handle, message, created_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?)
"""

# rowid decides between two of the same microsecond: the later write is the newer one.
_SELECT_LATEST = """
SELECT uuid, handle, message, created_at, expires_at FROM activities
WHERE expires_at > ? ORDER BY created_at DESC, rowid DESC LIMIT ?
"""

_SELECT_BY_HANDLE = """
SELECT uuid, handle, message, created_at, expires_at FROM activities
WHERE handle = ? AND expires_at > ? ORDER BY created_at DESC, rowid DESC LIMIT ?
"""


class ActivityStore:
    """Keeps posted activities, for any number of threads and processes.

    A class because it owns the connections to its database until `close`.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def prepare(self) -> None:
        """Create file and table where missing. Call it before anything else.

        Raises:
            StoreUnavailable: The path cannot be created, or is not a database.
        """
        self._database.prepare(_SCHEMA)

    def check(self) -> None:
        """Prove that the file is still there and readable.

        Raises:
            StoreUnavailable: The file is gone, locked for too long, or broken.
        """
        with self._database.fresh_connection() as connection:
            connection.execute("SELECT 1 FROM activities LIMIT 1").fetchall()

    def add(self, activity: Activity, author_sub: str) -> None:
        """Keep an activity and forget those that have expired by its `created_at`.

        Its counts and replies are not kept: a new activity has none.

        Args:
            activity: Message and times; `handle` is for display and need not be unique.
            author_sub: Who wrote it, as the sidecar vouched.

        Raises:
            StoreUnavailable: SQLite refused; the activity was not kept.
        """
        created_at, expires_at = _sortable(activity.created_at), _sortable(activity.expires_at)
        row = (activity.uuid, author_sub, activity.handle, activity.message, created_at, expires_at)
        with self._database.connection() as connection:
            connection.execute(_FORGET_EXPIRED, (created_at,))
            connection.execute(_INSERT, row)

    def latest(self, now: datetime, limit: int) -> list[Activity]:
        """Give up to `limit` activities that have not expired at `now`, newest first.

        Raises:
            StoreUnavailable: SQLite refused.
        """
        return self._select(_SELECT_LATEST, (_sortable(now), limit))

    def by_handle(self, handle: str, now: datetime, limit: int) -> list[Activity]:
        """As `latest`, for one handle, compared exactly.

        Raises:
            StoreUnavailable: SQLite refused.
        """
        return self._select(_SELECT_BY_HANDLE, (handle, _sortable(now), limit))

    def close(self) -> None:
        """Close idle connections."""
        self._database.close()

    def _select(self, query: str, parameters: tuple[str | int, ...]) -> list[Activity]:
        with self._database.connection() as connection:
            return [_activity(row) for row in connection.execute(query, parameters)]


def _sortable(moment: datetime) -> str:
    """Give UTC text of one width, so that SQLite orders text as time."""
    return moment.isoformat(timespec="microseconds")


def _activity(row: tuple[str, str, str, str, str]) -> Activity:
    uuid, handle, message, created_at, expires_at = row
    return Activity(
        uuid=uuid,
        handle=handle,
        message=message,
        created_at=datetime.fromisoformat(created_at),
        expires_at=datetime.fromisoformat(expires_at),
    )
