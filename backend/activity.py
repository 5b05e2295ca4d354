"""The value that travels: one activity, as the store keeps it and as clients see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Activity:
    """One message of one person, public until it expires.

    Attributes:
        uuid: Stable id, as text.
        handle: The author's name for display.
        message: Plain text, never markup.
        created_at: In UTC.
        expires_at: In UTC; from then on the activity is shown to nobody.
        likes_count: How many people liked it.
        reposts_count: How many people repeated it.
        replies: Answers, newest first.
    """

    uuid: str
    handle: str
    message: str
    created_at: datetime
    expires_at: datetime
    likes_count: int = 0
    reposts_count: int = 0
    replies: tuple["Activity", ...] = ()

    def as_json(self) -> dict[str, object]:
        """Give the public form; times are ISO 8601 with their UTC offset."""
        return {
            "uuid": self.uuid,
            "handle": self.handle,
            "message": self.message,
            "created_at": self.created_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "likes_count": self.likes_count,
            "replies_count": len(self.replies),
            "reposts_count": self.reposts_count,
            "replies": [reply.as_json() for reply in self.replies],
        }
