"""The activities that are there before anyone posts. Times are relative to now: never stale."""

from datetime import datetime, timedelta

from backend.activity import Activity


def sample_activities(now: datetime) -> list[Activity]:
    """Give what everyone sees, newest first."""
    return [
        Activity(
            uuid="0b8a3a52-6d0e-4f0a-9d5c-5a8d1a3f7c01",
            handle="Garek",
            message="Hemming season at the shop. Bring the trousers, leave the secrets.",
            created_at=now - timedelta(hours=5),
            expires_at=now + timedelta(hours=7),
            likes_count=3,
        ),
        _worf(now),
        Activity(
            uuid="0b8a3a52-6d0e-4f0a-9d5c-5a8d1a3f7c03",
            handle="Jadzia",
            message="Lost at tongo, won at fencing. Seven lifetimes of practice, same result.",
            created_at=now - timedelta(days=3),
            expires_at=now + timedelta(days=27),
            likes_count=11,
            reposts_count=2,
        ),
    ]


def lore_activity(now: datetime) -> Activity:
    """Give the one that only signed-in callers see: made at `now`, so it leads the feed."""
    return Activity(
        uuid="0b8a3a52-6d0e-4f0a-9d5c-5a8d1a3f7c04",
        handle="Lore",
        message="If you can read this, you have been vouched for. My brother never is.",
        created_at=now,
        expires_at=now + timedelta(days=1),
        likes_count=1042,
    )


def sample_notifications(now: datetime) -> list[Activity]:
    """Give what the notifications page shows to everyone."""
    return [
        Activity(
            uuid="0b8a3a52-6d0e-4f0a-9d5c-5a8d1a3f7c05",
            handle="Quark",
            message="liked your activity. The invoice follows.",
            created_at=now - timedelta(hours=1),
            expires_at=now + timedelta(days=6),
        ),
    ]


def _worf(now: datetime) -> Activity:
    created_at, expires_at = now - timedelta(days=1), now + timedelta(days=6)
    reply = Activity(
        uuid="0b8a3a52-6d0e-4f0a-9d5c-5a8d1a3f7c06",
        handle="Jadzia",
        message="You said that about the last holiday, and then you enjoyed it.",
        created_at=created_at + timedelta(hours=2),
        expires_at=expires_at,
    )
    return Activity(
        uuid="0b8a3a52-6d0e-4f0a-9d5c-5a8d1a3f7c02",
        handle="Worf",
        message="A warrior needs no holiday. I was told to post this from mine.",
        created_at=created_at,
        expires_at=expires_at,
        likes_count=5,
        reposts_count=1,
        replies=(reply,),
    )
