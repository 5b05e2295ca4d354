import json
from pathlib import Path

import pytest

from deploy.local import token
from deploy.local.parts import Ports
from deploy.local.pool import DEMO_USERS, LocalPool
from deploy.local.record import DemoNotRunning, forget, recorded, recorded_pool

POOL = LocalPool("http://127.0.0.1:4566", "us-east-1_x", "client", "issuer", "jwks", DEMO_USERS)


def test_the_record_has_the_promised_keys(tmp_path: Path) -> None:
    """Tools and tests from outside rely on exactly these."""
    with recorded(POOL, Ports(), tmp_path):
        record = json.loads((tmp_path / "demo.json").read_text())
    assert list(record) == [
        "user_pool_id",
        "client_id",
        "issuer",
        "jwks_url",
        "cognito_endpoint",
        "sidecar_url",
        "admin_url",
        "backend_url",
        "frontend_url",
        "users",
    ]
    assert record["sidecar_url"] == "http://127.0.0.1:8080"
    assert record["frontend_url"] == "http://localhost:3000"
    assert record["users"][0]["email"] == "ada@example.com"
    assert record["users"][0]["groups"] == ["admin"]


def test_the_pool_is_read_back_as_it_was(tmp_path: Path) -> None:
    """What the demo knows, `make token` knows."""
    with recorded(POOL, Ports(), tmp_path):
        assert recorded_pool(tmp_path) == POOL


def test_the_record_goes_with_the_demo(tmp_path: Path) -> None:
    """No file is left, so nobody takes a stopped demo for a running one."""
    with pytest.raises(KeyError), recorded(POOL, Ports(), tmp_path):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DemoNotRunning):
        recorded_pool(tmp_path)


def test_the_record_of_a_killed_demo_is_forgotten(tmp_path: Path) -> None:
    """A demo that starts is not running yet, whatever an earlier one left behind."""
    (tmp_path / "demo.json").write_text("{}")
    forget(tmp_path)
    forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


def run_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["token", *arguments])
    status = token.main()
    return status, *capsys.readouterr()


def test_a_token_without_a_demo_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing on standard output that could be taken for a token."""
    status, out, err = run_token(monkeypatch, capsys, f"--state-dir={tmp_path}")
    assert (status, out) == (1, "")
    assert err == "token: the demo is not running; start it with: make demo\n"


def test_a_token_for_a_stranger_names_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt user is answered with those there are."""
    with recorded(POOL, Ports(), tmp_path):
        arguments = (f"--state-dir={tmp_path}", "--user=eve@example.com")
        status, out, err = run_token(monkeypatch, capsys, *arguments)
    assert (status, out) == (1, "")
    assert "ada@example.com, grace@example.com" in err
