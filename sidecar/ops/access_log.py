"""One line per request: what was asked, what was decided, how long it took.

Never a token or a piece of one, a cookie or a query value. Lines are written many at a time: one
write for each line costs as much as everything else that is done for a request.
"""

import json
import time
from collections.abc import Callable, Iterable

from sidecar.model import Anonymous, RequestRecord
from sidecar.ops.metrics import REFUSALS

MAX_KID = 64
"""Characters of a key's name that are written: a token may name anything, in any length."""

_FIRST_ERROR = 400

_escape = json.encoder.encode_basestring_ascii

Format = Callable[[RequestRecord, str], str]
"""Makes a line of a request and of the time it ended, line break included."""


class AccessLog:
    """Writes log lines. A class because a sample is a share of all lines so far.

    Args:
        write: Takes any number of whole lines.
        form: Makes a line; `json_line` or `text_line`.
        sample: Share of the requests without anything remarkable that is logged, 0 to 1. Whatever
            was refused, failed, or had a token that did not count is logged always.
    """

    def __init__(self, write: Callable[[str], object], form: Format, sample: float = 1.0) -> None:
        self._write = write
        self._form = form
        self._sample = sample
        self._credit = 0.0
        self._second = -1
        self._date = ""

    def log(self, records: Iterable[RequestRecord], clock_offset_s: float) -> None:
        """Write the lines of requests that are over.

        Args:
            records: In the order they ended in.
            clock_offset_s: From the monotonic clock to seconds since the epoch.
        """
        lines = []
        for record in records:
            if self._sample < 1 and not self._is_drawn(record):
                continue
            ended_at = record.started_at + record.duration_s + clock_offset_s
            lines.append(self._form(record, self._write_time(ended_at)))
        if lines:
            self._write("".join(lines))

    def _is_drawn(self, record: RequestRecord) -> bool:
        if _is_remarkable(record):
            return True
        self._credit += self._sample
        if self._credit < 1:
            return False
        self._credit -= 1
        return True

    def _write_time(self, at: float) -> str:
        second = int(at)
        if second != self._second:  # writing a date anew for every line would take a third of it
            self._second = second
            self._date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._date}.{int((at - second) * 1000):03d}Z"


def json_line(record: RequestRecord, now: str) -> str:
    """Write a request as one JSON object."""
    # Written by hand: json.dumps of the whole line takes four times as long. What a client chose
    # is escaped; the rest is ours.
    result, reason, caller_fields = _describe(record)
    if record.would_refuse:
        caller_fields = f'"would_refuse": "{record.would_refuse}", {caller_fields}'
    return (
        f'{{"time": "{now}", "request_id": "{record.request_id}", "trace_id": "{record.trace_id}", '
        f'"method": {_escape(record.method)}, "path": {_escape(record.path)}, '
        f'"route": {_escape(record.route)}, "status": {record.status}, "result": "{result}", '
        f'"reason": "{reason}", {caller_fields}'
        f'"received_bytes": {record.received_bytes}, "sent_bytes": {record.sent_bytes}, '
        f'"ms": {record.duration_s * 1000:.3f}, {_upstream(record)}}}\n'
    )


def text_line(record: RequestRecord, now: str) -> str:
    """Write a request for a person who reads along."""
    result, reason, _ = _describe(record)
    said = f"{result}: {reason}" if reason else result
    if record.would_refuse:
        said += f" (would refuse: {record.would_refuse})"
    asked = f"{_escape(record.method)[1:-1] or '?'} {_escape(record.path)[1:-1] or '?'}"
    took = f"{record.duration_s * 1000:.1f} ms"
    return f"{now[11:23]} {record.status or '---'} {asked}  {said}  {took}  {record.request_id}\n"


def _describe(record: RequestRecord) -> tuple[str, str, str]:
    """Return result and reason, and the fields that tell who it was, each with a comma."""
    caller = record.caller
    if record.reason in REFUSALS:
        result, reason, kid, pool_id = "refused", record.reason, record.kid, record.pool_id
    elif isinstance(caller, Anonymous):
        result = "anonymous" if record.route else "undecided"
        reason = record.reason or caller.reason
        kid, pool_id = caller.kid, caller.pool_id
    else:
        return (
            "authenticated",
            record.reason,
            (
                f'"sub": "{caller.subject_digest}", "kid": {_escape(caller.kid)}, '
                f'"pool": "{caller.pool_id}", '
            ),
        )
    if not kid and not pool_id:
        return result, reason, ""
    said = f'"kid": {_escape(kid[:MAX_KID])}, "pool": "{pool_id}", '
    if record.subject_digest:
        said = f'"sub": "{record.subject_digest}", {said}'
    return result, reason, said


def _upstream(record: RequestRecord) -> str:
    if record.upstream_s < 0:
        return '"upstream_ms": null'
    reused = "true" if record.is_upstream_reused else "false"
    return f'"upstream_ms": {record.upstream_s * 1000:.3f}, "upstream_reused": {reused}'


def _is_remarkable(record: RequestRecord) -> bool:
    if record.status >= _FIRST_ERROR or record.status == 0 or record.reason or record.would_refuse:
        return True
    caller = record.caller
    return isinstance(caller, Anonymous) and caller.reason != ""
