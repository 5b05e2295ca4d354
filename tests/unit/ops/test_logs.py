"""How log lines look to a machine and to a person."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from sidecar.ops.logs import JsonFormatter, is_json, set_up


class Terminal(io.StringIO):
    """A stream where somebody reads along."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]


@pytest.mark.parametrize(
    ("log_format", "stream", "expected"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("json", Terminal(), True),
        ("text", io.StringIO(), False),
    ],
)
def test_format_follows_the_setting_and_then_the_stream(
    log_format: str, stream: io.StringIO, *, expected: bool
) -> None:
    """A pipe gets JSON, a terminal text, unless a setting says otherwise."""
    assert is_json(log_format, stream) is expected


def test_json_line_is_one_object_with_time_and_level() -> None:
    """What the program says looks like what the access log says."""
    stream = io.StringIO()
    set_up("json", stream)
    logging.getLogger("sidecar").warning('a "quoted"\nmessage')
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert (said["level"], said["message"]) == ("warning", 'a "quoted"\nmessage')
    assert said["time"].endswith("Z")


def test_text_line_is_time_and_message() -> None:
    """Nothing stands between a person and what is said."""
    stream = Terminal()
    set_up("auto", stream)
    logging.getLogger("sidecar").info("listening")
    assert stream.getvalue().endswith(" listening\n")


def test_traceback_is_a_member_of_the_object() -> None:
    """A bug of ours is one line too."""
    failure = RuntimeError("of ours")
    cause = (RuntimeError, failure, None)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, cause)
    said = json.loads(JsonFormatter().format(record))
    assert "RuntimeError: of ours" in said["traceback"]
