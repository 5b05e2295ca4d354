import pytest

from deploy.local.parts import Ports
from deploy.local.pool import DEMO_USERS, LocalPool
from deploy.local.terminal import show, show_code, show_summary

POOL = LocalPool("http://127.0.0.1:4566", "us-east-1_x", "client", "issuer", "jwks", DEMO_USERS)


def test_lines_are_plain_when_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file or a CI job gets no colour codes."""
    show("sidecar", "ready")
    assert capsys.readouterr().out == "sidecar  | ready\n"


def test_lines_are_coloured_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of the part has its colour, the line itself keeps its own."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    show("sidecar", "ready")
    assert capsys.readouterr().out == "\033[35msidecar \033[0m | ready\n"


def test_colour_can_be_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """NO_COLOR is respected, whatever its value."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    show("sidecar", "ready")
    assert capsys.readouterr().out == "sidecar  | ready\n"


def test_a_code_is_told_with_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    """What would have been in the e-mail is in the terminal."""
    show_code("new@example.com", "123456")
    assert capsys.readouterr().out == "e-mail   | to new@example.com: the code is 123456\n"


def test_the_summary_has_all_a_person_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """Addresses, users with passwords, where codes are read, two commands to paste."""
    show_summary(POOL, Ports(), "TOKEN")
    lines = capsys.readouterr().out.splitlines()
    assert "  frontend   http://localhost:3000" in lines
    assert "  e-mails    http://127.0.0.1:4566/_ministack/ses/messages" in lines
    assert [line for line in lines if "ada@example.com" in line and "Analytical-1843" in line]
    assert "  curl -i http://127.0.0.1:8080/api/activities/home" in lines
    signed_in = "-H 'Authorization: Bearer TOKEN' http://127.0.0.1:8080/api/activities/home"
    assert f"  curl -i {signed_in}" in lines
