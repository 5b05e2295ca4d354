"""What the log says of a request, and what it never says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sidecar.model import Anonymous, Identity, RequestRecord
from sidecar.ops.access_log import MAX_KID, AccessLog, json_line, text_line

POOL = "eu-west-1_x"
IDENTITY = Identity((), frozenset(), frozenset(), "access", POOL, "kid-1", 1.0, "0123456789abcdef")


@pytest.fixture
def written() -> list[str]:
    return []


@pytest.fixture
def log(written: list[str]) -> AccessLog:
    return AccessLog(written.append, json_line)


def lines(written: list[str]) -> list[dict[str, Any]]:
    """Read back what was written."""
    return [json.loads(line) for line in "".join(written).splitlines()]


def line_of(record: RequestRecord) -> dict[str, Any]:
    """Return the JSON line of a request."""
    line: dict[str, Any] = json.loads(json_line(record, "2026-01-02T03:04:05.678Z"))
    return line


def test_refused_token_is_logged_with_reason_key_and_pool() -> None:
    """Whoever reads the line knows what was wrong and with whose key."""
    record = RequestRecord("GET", 0.0, "/a", "id-1", reason="key_unknown", status=401, route="/a")
    record.kid, record.pool_id, record.duration_s = "rotated", POOL, 0.0015
    line = line_of(record)
    assert (line["status"], line["result"], line["reason"]) == (401, "refused", "key_unknown")
    assert (line["kid"], line["pool"]) == ("rotated", POOL)
    assert (line["method"], line["path"], line["route"], line["ms"]) == ("GET", "/a", "/a", 1.5)
    assert (line["time"], line["request_id"]) == ("2026-01-02T03:04:05.678Z", "id-1")


def test_stripped_token_is_logged_with_its_reason_and_key() -> None:
    """A request that went on anonymously because its token was bad says so."""
    caller = Anonymous("token_expired", "kid-1", POOL)
    line = line_of(RequestRecord("GET", 0.0, caller=caller, status=200, route="default"))
    assert (line["result"], line["reason"], line["kid"]) == ("anonymous", "token_expired", "kid-1")


def test_authenticated_request_names_nobody() -> None:
    """A proven caller is told apart by a digest, never by name."""
    line = line_of(RequestRecord("GET", 0.0, caller=IDENTITY, status=200, route="default"))
    assert (line["result"], line["reason"]) == ("authenticated", "")
    assert (line["sub"], line["kid"], line["pool"]) == ("0123456789abcdef", "kid-1", POOL)


def test_caller_whom_a_rule_refused_is_told_apart() -> None:
    """Who asked for what they may not do is as known as who may."""
    record = RequestRecord("GET", 0.0, reason="group_missing", status=403, route="/admin/*")
    record.kid, record.pool_id, record.subject_digest = "kid-1", POOL, "0123456789abcdef"
    line = line_of(record)
    assert (line["result"], line["sub"], line["pool"]) == ("refused", "0123456789abcdef", POOL)


def test_sizes_times_and_trace_are_logged() -> None:
    """What the backend took is apart from what the whole request took."""
    record = RequestRecord("PUT", 0.0, status=200, trace_id="a" * 32, received_bytes=7)
    record.sent_bytes, record.upstream_s, record.is_upstream_reused = 9, 0.25, True
    line = line_of(record)
    assert (line["received_bytes"], line["sent_bytes"], line["trace_id"]) == (7, 9, "a" * 32)
    assert (line["upstream_ms"], line["upstream_reused"]) == (250.0, True)
    assert line_of(RequestRecord("GET", 0.0))["upstream_ms"] is None


def test_report_is_logged_beside_what_happened() -> None:
    """A rule on trial says what it would have done."""
    line = line_of(RequestRecord("GET", 0.0, would_refuse="token_missing", route="/a", status=200))
    assert (line["would_refuse"], line["result"]) == ("token_missing", "anonymous")


def test_unreadable_request_is_undecided() -> None:
    """Bytes that were no request had no caller."""
    line = line_of(RequestRecord("", 0.0, reason="request_malformed", status=400))
    assert (line["result"], line["reason"]) == ("undecided", "request_malformed")


@pytest.mark.parametrize("form", [json_line, text_line])
def test_what_a_client_writes_cannot_forge_a_line(form: Any) -> None:
    """Quotes, line breaks and escapes of method, path and kid stay inside their member."""
    hostile = '/","status":200}\n{\u2028\x1b[2J'
    record = RequestRecord(hostile, 0.0, hostile, reason="key_unknown", status=401)
    record.kid = hostile
    line = form(record, "2026-01-02T03:04:05.678Z")
    assert line.count("\n") == 1
    assert line.isascii()
    assert "\x1b" not in line


def test_long_kid_is_cut() -> None:
    """A token may name a key of any length; the log does not repeat it."""
    record = RequestRecord("GET", 0.0, reason="key_unknown", kid="k" * 5000)
    assert line_of(record)["kid"] == "k" * MAX_KID


def test_text_line_says_the_same_to_a_person() -> None:
    """Time, status, request, decision: one glance."""
    record = RequestRecord("GET", 0.0, "/a", "id-1", reason="token_expired", status=401)
    record.duration_s = 0.0021
    line = text_line(record, "2026-01-02T03:04:05.678Z")
    assert line == "03:04:05.678 401 GET /a  refused: token_expired  2.1 ms  id-1\n"


def test_sample_leaves_successes_out_and_nothing_else(written: list[str]) -> None:
    """One in four ordinary requests is logged, and every remarkable one."""
    log = AccessLog(written.append, json_line, sample=0.25)
    for _ in range(4):
        log.log([RequestRecord("GET", 0.0, status=200, route="default")] * 10, 0.0)
    assert len(lines(written)) == 10
    written.clear()
    remarkable = [
        RequestRecord("GET", 0.0, status=500),
        RequestRecord("GET", 0.0, status=0),
        RequestRecord("GET", 0.0, status=401, reason="token_missing"),
        RequestRecord("GET", 0.0, status=200, caller=Anonymous("token_expired")),
        RequestRecord("GET", 0.0, status=200, would_refuse="token_missing"),
    ]
    log.log(remarkable, 0.0)
    assert len(lines(written)) == 5


def test_many_requests_are_written_at_once(log: AccessLog, written: list[str]) -> None:
    """One write for each line would cost as much as the rest of a request."""
    log.log([RequestRecord("GET", 0.0)] * 100, 0.0)
    assert len(written) == 1
    assert len(lines(written)) == 100


def test_no_requests_write_nothing(log: AccessLog, written: list[str]) -> None:
    """There is no empty write."""
    log.log([], 0.0)
    assert written == []


def test_line_says_when_the_request_ended_in_utc(log: AccessLog, written: list[str]) -> None:
    """Times are RFC 3339 with milliseconds, in one zone for all machines."""
    log.log([RequestRecord("GET", 10.0, duration_s=0.25)], 1_767_225_600.0)
    (line,) = lines(written)
    assert line["time"] == "2026-01-01T00:00:10.250Z"


def test_every_field_of_a_line_is_documented() -> None:
    """The table of docs/operations.md and the code name the same fields."""
    record = RequestRecord("GET", 0.0, caller=IDENTITY, would_refuse="x", upstream_s=0.1)
    docs = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = docs.partition("## Log")[2].partition("## Traces")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)} == set(
        line_of(record)
    )
