"""Which activities a caller sees, in which order."""

from datetime import datetime

from backend.activity import Activity
from backend.identity import Caller
from backend.services.samples import lore_activity, sample_activities
from backend.store import ActivityStore

# Posted activities in one answer. Bounds it to about 300 KB; older ones stay on the user's page.
MAX_POSTED = 500


def home_feed(store: ActivityStore, caller: Caller, now: datetime) -> list[Activity]:
    """Give all public activities, newest first; for a signed-in caller, Lore's before them.

    Raises:
        StoreUnavailable: Posted activities cannot be read.
    """
    return _newest_first(_samples_for(caller, now), store.latest(now, MAX_POSTED))


def user_feed(store: ActivityStore, handle: str, caller: Caller, now: datetime) -> list[Activity]:
    """Give the activities of one handle that `caller` may see, newest first.

    Raises:
        StoreUnavailable: Posted activities cannot be read.
    """
    samples = [sample for sample in _samples_for(caller, now) if sample.handle == handle]
    return _newest_first(samples, store.by_handle(handle, now, MAX_POSTED))


def _samples_for(caller: Caller, now: datetime) -> list[Activity]:
    samples = sample_activities(now)
    return [lore_activity(now), *samples] if caller.is_signed_in else samples


def _newest_first(samples: list[Activity], posted: list[Activity]) -> list[Activity]:
    # The sort is stable: Lore, created at `now` itself, stays ahead of a post of this instant.
    return sorted([*samples, *posted], key=lambda activity: activity.created_at, reverse=True)
