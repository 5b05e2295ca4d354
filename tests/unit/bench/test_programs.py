"""Programs that are not there are named."""

import pytest

from tests.bench.programs import ProgramsMissing, path_of, why_missing


def test_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a path without it, wrk is missing, and the message says so."""
    monkeypatch.setenv("PATH", "")
    assert why_missing("wrk") == "wrk is not installed"
    with pytest.raises(ProgramsMissing, match="wrk"):
        path_of("wrk")
