"""wrk's words, and what is read from them."""

from pathlib import Path

import pytest

from tests.bench import wrk
from tests.bench.wrk import LoadFailed, Request

LINE = (
    f'{wrk.MARK}{{"requests": 2000, "duration_us": 1000000, "bytes": 4096, "not_2xx": 3, '
    '"broken": 1, "p50_us": 1500, "p99_us": 2500}'
)


def test_summary_among_other_lines_is_read_in_seconds_and_milliseconds() -> None:
    """The one line of the script is found, and its microseconds are converted."""
    summary = wrk.parse(["Running 1s test", LINE])
    assert summary == wrk.Summary(2000, 1.0, 4096, 3, 1, 1.5, 2.5)


def test_output_without_summary_fails_with_what_wrk_said() -> None:
    """A wrk that ends before its last function has measured nothing."""
    with pytest.raises(LoadFailed, match="unable to connect"):
        wrk.parse([], "unable to connect")


def test_summary_of_no_request_fails() -> None:
    """A round in which nothing was answered has no cost per request."""
    with pytest.raises(LoadFailed, match="no request"):
        wrk.parse([LINE.replace("2000", "0")])


def test_script_of_a_post_names_tokens_fields_and_body(tmp_path: Path) -> None:
    """What the load asks for is in the script, word for word."""
    request = Request("POST", "/api/feed", tmp_path / "hot", body_bytes=1024, extra_fields=2)
    text = wrk.write_script(request, tmp_path / "load.lua").read_text()
    assert f'io.lines("{tmp_path}/hot")' in text
    assert '{["X-Extra-0"]="value 0",["X-Extra-1"]="value 1",}' in text
    assert 'wrk.format("POST", "/api/feed", fields, string.rep("x", 1024))' in text


def test_script_of_anonymous_requests_has_no_tokens_and_no_body(tmp_path: Path) -> None:
    """Without a file of tokens one request is made, without a body."""
    text = wrk.write_script(Request("GET", "/"), tmp_path / "load.lua").read_text()
    assert 'if "" == "" then make(nil)' in text
    assert 'wrk.format("GET", "/", fields, nil)' in text
