"""What the log says of a request, and what it never says."""

import json

import pytest

from sidecar.model import Anonymous, Identity, RequestRecord
from sidecar.ops.access_log import MAX_HELD, AccessLog

IDENTITY = Identity((), frozenset(), frozenset(), "access", "eu-west-1_x", "kid", 1.0)


@pytest.fixture
async def written() -> list[str]:
    return []


@pytest.fixture
async def log(written: list[str]) -> AccessLog:
    return AccessLog(written.append)


def lines(log: AccessLog, written: list[str]) -> list[dict[str, object]]:
    """Write what was noted and read it back."""
    log.flush()
    return [json.loads(line) for line in "".join(written).splitlines()]


async def test_refused_request_is_logged_with_its_reason(
    log: AccessLog, written: list[str]
) -> None:
    """The line says what was refused and why."""
    log.log(RequestRecord("GET", 0.0, "/a", "id-1", Anonymous(), "token_missing", 401, 0.0015))
    (line,) = lines(log, written)
    assert (line["status"], line["reason"], line["auth"]) == (401, "token_missing", "anonymous")
    assert (line["method"], line["path"], line["ms"]) == ("GET", "/a", 1.5)
    assert line["request_id"] == "id-1"


async def test_stripped_token_is_logged_with_its_reason(log: AccessLog, written: list[str]) -> None:
    """A request that went on anonymously because its token was bad says so."""
    log.log(RequestRecord("GET", 0.0, caller=Anonymous("token_expired"), status=200))
    assert lines(log, written)[0]["reason"] == "token_expired"


async def test_authenticated_request_is_logged_as_such(log: AccessLog, written: list[str]) -> None:
    """A proven caller is authenticated, without a reason."""
    log.log(RequestRecord("GET", 0.0, caller=IDENTITY, status=200))
    (line,) = lines(log, written)
    assert (line["auth"], line["reason"]) == ("authenticated", "")


async def test_path_with_quotes_stays_one_json_line(log: AccessLog, written: list[str]) -> None:
    """What a client writes cannot forge a line or a member."""
    log.log(RequestRecord("GET", 0.0, '/","status":200}\n{\u2028'))
    (line,) = lines(log, written)
    assert line["path"] == '/","status":200}\n{\u2028'


async def test_full_log_is_written_without_waiting(log: AccessLog, written: list[str]) -> None:
    """Lines held are bounded."""
    for _ in range(MAX_HELD):
        log.log(RequestRecord("GET", 0.0))
    assert len("".join(written).splitlines()) == MAX_HELD


async def test_flush_without_lines_writes_nothing(log: AccessLog, written: list[str]) -> None:
    """There is no empty write."""
    log.flush()
    assert written == []
