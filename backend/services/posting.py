"""From a request body to a kept activity: first check everything, then write once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from backend.activity import Activity
from backend.errors import ActivityInvalid, FieldProblem
from backend.identity import Author
from backend.store import ActivityStore

# Unicode code points, as Python counts them. An emoji may be more than one.
MAX_MESSAGE_CHARS = 280

LIFETIMES = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "3-days": timedelta(days=3),
    "1-day": timedelta(days=1),
    "12-hours": timedelta(hours=12),
    "3-hours": timedelta(hours=3),
    "1-hour": timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What someone wants to say and for how long; checked, and with no author of its own."""

    message: str
    lifetime: timedelta


def read_draft(body: object) -> Draft:
    """Check a decoded JSON body. Other members, a claimed author included, are ignored.

    Args:
        body: Anything JSON can say; `{"message": str, "ttl": str}` is wanted.

    Raises:
        ActivityInvalid: With every problem found.
    """
    if not isinstance(body, dict):
        raise ActivityInvalid((FieldProblem("body", "a JSON object"),))
    problems = (*_message_problems(body.get("message")), *_ttl_problems(body.get("ttl")))
    if problems:
        raise ActivityInvalid(problems)
    return Draft(message=body["message"], lifetime=LIFETIMES[body["ttl"]])


def publish(store: ActivityStore, author: Author, draft: Draft, now: datetime) -> Activity:
    """Keep a draft as the author's activity, made at `now` (UTC).

    Raises:
        StoreUnavailable: It could not be kept.
    """
    activity = Activity(
        uuid=str(uuid4()),
        handle=author.handle,
        message=draft.message,
        created_at=now,
        expires_at=now + draft.lifetime,
    )
    store.add(activity, author.sub)
    return activity


def _message_problems(message: object) -> list[FieldProblem]:
    if not isinstance(message, str):
        return [FieldProblem("message", "text")]
    problems = []
    if not message.strip():
        problems.append(FieldProblem("message", "at least one character that is not a space"))
    if len(message) > MAX_MESSAGE_CHARS:
        problems.append(FieldProblem("message", f"at most {MAX_MESSAGE_CHARS} characters"))
    if not _is_unicode_text(message):
        problems.append(FieldProblem("message", "no half of a surrogate pair"))
    return problems


def _ttl_problems(ttl: object) -> list[FieldProblem]:
    if isinstance(ttl, str) and ttl in LIFETIMES:
        return []
    return [FieldProblem("ttl", f"one of {', '.join(LIFETIMES)}")]


def _is_unicode_text(text: str) -> bool:
    # JSON may say "\ud800", which no UTF-8 can hold and SQLite refuses (RFC 8259 §8.2).
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
