from datetime import UTC, datetime, timedelta

import pytest

from backend.activity import Activity
from backend.identity import Author, Caller
from backend.services.feed import home_feed, user_feed
from backend.services.posting import Draft, publish
from backend.services.samples import sample_notifications
from backend.store import ActivityStore

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ANONYMOUS = Caller(sub=None, username=None)
SIGNED_IN = Caller(sub="s-1", username="bashir")


def post(store: ActivityStore, handle: str, at: datetime) -> Activity:
    draft = Draft(message="hello", lifetime=timedelta(days=1))
    return publish(store, Author(sub="s-2", handle=handle), draft, at)


def handles(feed: list[Activity]) -> list[str]:
    return [activity.handle for activity in feed]


def is_newest_first(feed: list[Activity]) -> bool:
    return feed == sorted(feed, key=lambda activity: activity.created_at, reverse=True)


def test_home_signed_in_gets_one_more_and_it_leads(store: ActivityStore) -> None:
    """Lore's is the only difference that signing in makes."""
    lore, *rest = home_feed(store, SIGNED_IN, NOW)
    assert lore.handle == "Lore"
    assert rest == home_feed(store, ANONYMOUS, NOW)
    assert "Lore" not in handles(rest)


def test_home_username_without_sub_sees_the_public_feed(store: ActivityStore) -> None:
    """A name alone opens nothing."""
    named = Caller(sub=None, username="bashir")
    assert home_feed(store, named, NOW) == home_feed(store, ANONYMOUS, NOW)


def test_home_posts_and_samples_are_one_list_newest_first(store: ActivityStore) -> None:
    """A post of two days ago stands between the samples, one of now before them."""
    post(store, "now", NOW)
    post(store, "two hours", NOW - timedelta(hours=2))
    post(store, "nine hours", NOW - timedelta(hours=9))
    feed = home_feed(store, SIGNED_IN, NOW)
    assert is_newest_first(feed)
    assert handles(feed)[:5] == ["Lore", "now", "two hours", "Garek", "nine hours"]


def test_user_feed_has_samples_and_posts_of_that_handle_only(store: ActivityStore) -> None:
    """Someone who shares a sample's name is listed with it."""
    post(store, "Worf", NOW)
    post(store, "bashir", NOW)
    feed = user_feed(store, "Worf", ANONYMOUS, NOW)
    assert handles(feed) == ["Worf", "Worf"]
    assert is_newest_first(feed)


@pytest.mark.parametrize(("caller", "count"), [(ANONYMOUS, 0), (SIGNED_IN, 1)])
def test_user_feed_of_lore_follows_the_home_feeds_rule(
    store: ActivityStore, caller: Caller, count: int
) -> None:
    """What is hidden at home cannot be had by asking for the handle."""
    assert len(user_feed(store, "Lore", caller, NOW)) == count


def test_samples_are_live_at_any_time(store: ActivityStore) -> None:
    """Whatever the date, samples are in the past and not yet expired, replies too."""
    far = NOW + timedelta(days=10_000)
    shown = [*home_feed(store, SIGNED_IN, far), *sample_notifications(far)]
    everything = [*shown, *(reply for activity in shown for reply in activity.replies)]
    assert all(activity.created_at <= far < activity.expires_at for activity in everything)
    assert len({activity.uuid for activity in everything}) == len(everything)
