"""The last requests that were refused or lost their token: what somebody asks about first."""

from collections import deque
from dataclasses import dataclass

from sidecar.model import Anonymous, RequestRecord
from sidecar.ops.access_log import MAX_KID

KEPT = 50
"""More than a page shows at once, and bounded whatever happens."""

MAX_PATH = 200
"""Characters of a path; a longer one is not read by anybody."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was refused, failed, or went on without its token. Holds no token.

    Attributes:
        at: Seconds since the epoch.
        request_id: As in the answer and the log.
        method: As received.
        path: Without its query, cut.
        route: Label of the rule.
        status: What was answered.
        reason: Why.
        kid: The key that the token named, cut; empty if unknown.
        pool: The pool that it was held against; empty if unknown.
    """

    at: float
    request_id: str
    method: str
    path: str
    route: str
    status: int
    reason: str
    kid: str
    pool: str


class Refusals:
    """Keeps the last ones. A class because it is told of every request."""

    def __init__(self) -> None:
        self._latest: deque[RequestRecord] = deque(maxlen=KEPT)

    def observe(self, record: RequestRecord) -> None:
        """Note a request that is over, if there is something to tell about it."""
        caller = record.caller
        if record.reason or (isinstance(caller, Anonymous) and caller.reason):
            self._latest.append(record)

    def latest(self, clock_offset_s: float) -> list[Refused]:
        """Return them, the latest first.

        Args:
            clock_offset_s: From the monotonic clock to seconds since the epoch.
        """
        return [_describe(record, clock_offset_s) for record in reversed(self._latest)]


def _describe(record: RequestRecord, clock_offset_s: float) -> Refused:
    caller = record.caller
    token = caller if isinstance(caller, Anonymous) else Anonymous()
    return Refused(
        at=record.started_at + record.duration_s + clock_offset_s,
        request_id=record.request_id,
        method=record.method,
        path=record.path[:MAX_PATH],
        route=record.route,
        status=record.status,
        reason=record.reason or token.reason,
        kid=(record.kid or token.kid)[:MAX_KID],
        pool=record.pool_id or token.pool_id,
    )
