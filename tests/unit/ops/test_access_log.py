"""What the log says of a request, and what it never says."""

import json
import logging

import pytest

from sidecar.model import Anonymous, Identity, RequestRecord
from sidecar.ops.access_log import log_request

IDENTITY = Identity((), frozenset(), frozenset(), "access", "eu-west-1_x", "kid", 1.0)


def line_of(record: RequestRecord, caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    """Log a request and read the line back."""
    with caplog.at_level(logging.INFO, logger="sidecar.access"):
        log_request(record)
    line: dict[str, object] = json.loads(caplog.messages[-1])
    return line


def test_refused_request_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """The line says what was refused and why."""
    record = RequestRecord("GET", 0.0, "/a", "id-1", Anonymous(), "token_missing", 401, 0.0015)
    line = line_of(record, caplog)
    assert (line["status"], line["reason"], line["auth"]) == (401, "token_missing", "anonymous")
    assert line["ms"] == 1.5


def test_stripped_token_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """A request that went on anonymously because its token was bad says so."""
    record = RequestRecord("GET", 0.0, caller=Anonymous("token_expired"), status=200)
    assert line_of(record, caplog)["reason"] == "token_expired"


def test_authenticated_request_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    """A proven caller is authenticated, without a reason."""
    line = line_of(RequestRecord("GET", 0.0, caller=IDENTITY, status=200), caplog)
    assert (line["auth"], line["reason"]) == ("authenticated", "")


def test_silenced_log_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is written above INFO."""
    with caplog.at_level(logging.WARNING, logger="sidecar.access"):
        log_request(RequestRecord("GET", 0.0))
    assert not caplog.messages
