"""The command line: what it prints and how it exits."""

import os
import socket
import subprocess
import sys

import pytest


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m sidecar` to its end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SIDECAR_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", "sidecar", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_start_without_settings_exits_2_and_names_them() -> None:
    """Every problem is a line of its own, and there is no traceback."""
    result = run()
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == [
        "AWS_COGNITO_USER_POOL_ID",
        "AWS_COGNITO_USER_POOL_CLIENT_ID",
    ]


def test_taken_port_is_one_clear_line() -> None:
    """A port that another process has is named, and the exit status is 1."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run(
            *("--user-pool-id", "eu-west-1_AbCdEfGhI", "--user-pool-client-id", "c"),
            *("--listen", f"127.0.0.1:{port}", "--admin-listen", "127.0.0.1:0"),
            SIDECAR_JWKS_URL="http://127.0.0.1:9/",
        )
    assert result.returncode == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_option_that_informs_needs_no_settings(option: str) -> None:
    """Help and version are there before anything is configured."""
    assert run(option).returncode == 0


def test_help_names_every_flag_and_variable() -> None:
    """Each setting that has a flag is shown with its environment variable."""
    text = run("--help").stdout
    for name in ("AWS_COGNITO_USER_POOL_ID", "SIDECAR_UPSTREAM", "SIDECAR_CONFIG", "--mode"):
        assert name in text
