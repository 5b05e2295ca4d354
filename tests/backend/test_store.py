from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.activity import Activity
from backend.config import Settings
from backend.errors import StoreUnavailable
from backend.store import ActivityStore

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def activity(uuid: str, *, age_s: float = 0, handle: str = "bashir") -> Activity:
    """An activity made `age_s` seconds before NOW that lives for one hour."""
    created_at = NOW - timedelta(seconds=age_s)
    return Activity(
        uuid=uuid,
        handle=handle,
        message="hello",
        created_at=created_at,
        expires_at=created_at + timedelta(hours=1),
    )


def uuids(activities: list[Activity]) -> list[str]:
    return [each.uuid for each in activities]


def test_store_added_activity_comes_back_equal(store: ActivityStore) -> None:
    """What goes in comes out, to the microsecond."""
    kept = activity("a", age_s=0.000001)
    store.add(kept, "sub")
    assert store.latest(NOW, 10) == [kept]


def test_store_second_instance_sees_what_first_wrote(
    store: ActivityStore, settings: Settings
) -> None:
    """Activities are in the file, not in the process."""
    store.add(activity("a"), "sub")
    other = ActivityStore(settings.database)
    other.prepare()
    assert uuids(other.latest(NOW, 10)) == ["a"]
    other.close()


def test_store_latest_is_newest_first_and_bounded(store: ActivityStore) -> None:
    """Order is by time, then by order of writing; the limit keeps the newest."""
    for uuid, age_s in (("old", 9), ("older", 10), ("new", 1), ("newest", 1)):
        store.add(activity(uuid, age_s=age_s), "sub")
    assert uuids(store.latest(NOW, 3)) == ["newest", "new", "old"]


def test_store_by_handle_compares_exactly(store: ActivityStore) -> None:
    """Another handle, or another case, is another user."""
    for uuid, handle in (("a", "bashir"), ("b", "Bashir"), ("c", "o'brien")):
        store.add(activity(uuid, handle=handle), "sub")
    assert uuids(store.by_handle("bashir", NOW, 10)) == ["a"]
    assert uuids(store.by_handle("o'brien", NOW, 10)) == ["c"]


def test_store_expired_activity_is_not_shown(store: ActivityStore) -> None:
    """From `expires_at` on, an activity is invisible."""
    kept = activity("a")
    store.add(kept, "sub")
    last_moment = kept.expires_at - timedelta(microseconds=1)
    assert uuids(store.latest(last_moment, 10)) == ["a"]
    assert store.latest(kept.expires_at, 10) == []
    assert store.by_handle("bashir", kept.expires_at, 10) == []


def test_store_expired_activity_is_deleted_by_next_add(store: ActivityStore) -> None:
    """The file does not grow for ever."""
    store.add(activity("past", age_s=3600), "sub")
    store.add(activity("present"), "sub")
    assert uuids(store.latest(NOW - timedelta(days=1), 10)) == ["present"]


def test_store_refused_write_leaves_store_usable(store: ActivityStore) -> None:
    """An error costs one connection, not the store."""
    store.add(activity("a"), "sub")
    with pytest.raises(StoreUnavailable):
        store.add(activity("a"), "sub")
    store.add(activity("b"), "sub")
    assert uuids(store.latest(NOW, 10)) == ["b", "a"]


def test_store_concurrent_writers_and_readers_lose_nothing(
    store: ActivityStore, settings: Settings
) -> None:
    """Two stores on one file, eight threads: every write arrives."""
    other = ActivityStore(settings.database)

    def write_and_read(number: int) -> int:
        target = (store, other)[number % 2]
        target.add(activity(str(number)), "sub")
        return len(target.latest(NOW, 100))

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(write_and_read, range(60)))
    assert all(seen)
    assert len(store.latest(NOW, 100)) == 60
    other.close()


def test_store_concurrent_first_starts_all_succeed(settings: Settings) -> None:
    """Processes that start together on no file at all do not trip over each other."""
    stores = [ActivityStore(settings.database) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ActivityStore.prepare, stores))
    stores[0].check()


def test_store_check_deleted_file_is_noticed(store: ActivityStore, settings: Settings) -> None:
    """A connection that is still open does not hide that the file is gone."""
    store.add(activity("a"), "sub")
    store.check()
    settings.database.unlink()
    with pytest.raises(StoreUnavailable):
        store.check()


def test_store_lost_file_is_not_replaced_unseen(settings: Settings) -> None:
    """Only `prepare` creates a database."""
    with pytest.raises(StoreUnavailable):
        ActivityStore(settings.database).latest(NOW, 10)
    assert not settings.database.exists()


def test_store_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Someone else's file is left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreUnavailable):
        ActivityStore(path).prepare()
    assert path.read_text().startswith("not a database")


def test_store_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A path below a file is reported like any unusable database."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable) as refusal:
        ActivityStore(tmp_path / "file" / "db.sqlite3").prepare()
    assert isinstance(refusal.value.__cause__, OSError)


def test_store_odd_characters_in_path_are_literal(tmp_path: Path) -> None:
    """A `?` in a folder's name is not taken for SQLite's own parameters."""
    path = tmp_path / "a?mode=memory&b#c%41" / "db.sqlite3"
    store = ActivityStore(path)
    store.prepare()
    store.check()
    assert path.exists()
