"""The command line: what it prints and how it exits."""

import importlib.util
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import mint
from tests.support.settings import run


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


def test_help_names_the_commands() -> None:
    """Whoever is lost finds `check` and `explain`."""
    text = run("--help").stdout
    assert "check" in text
    assert "explain" in text


@pytest.fixture
def jwks(tmp_path: Path) -> str:
    """Write the test pool's keys to a file."""
    file = tmp_path / "jwks.json"
    file.write_bytes(mint.jwks())
    return str(file)


POOL = {
    "AWS_COGNITO_USER_POOL_ID": mint.POOL_ID,
    "AWS_COGNITO_USER_POOL_CLIENT_ID": mint.CLIENT_ID,
}


def fresh(**changes: Any) -> str:
    """Make a token that is valid now, but for the changes."""
    return mint.mint(now=time.time(), **changes).decode()  # noqa: TID251 - a process reads the clock


def test_explain_accepts_a_good_token_offline(jwks: str) -> None:
    """With a file of keys nothing is fetched; the headers are those the backend would get."""
    result = run("explain", fresh(), "--jwks", jwks, **POOL)
    assert result.returncode == 0, result.stderr
    assert f"X-Cognito-Sub: {mint.SUB}" in result.stdout


def test_explain_reads_a_token_from_standard_input_as_it_was_copied(jwks: str) -> None:
    """`Authorization: Bearer` and white space around the token do not matter."""
    copied = f"  Authorization: Bearer {fresh()}\n"
    assert run("explain", "-", "--jwks", jwks, stdin=copied, **POOL).returncode == 0


def test_explain_marks_the_first_failure_and_never_prints_the_signature(jwks: str) -> None:
    """A person sees why, and nothing that could be used as the token."""
    token = fresh(client_id="other", exp=1)
    result = run("explain", token, "--jwks", jwks, **POOL)
    assert result.returncode == 1
    marked = [line for line in result.stdout.splitlines() if "<-" in line]
    assert len(marked) == 1
    assert "client_mismatch" in marked[0]
    signature = token.rpartition(".")[2]
    assert signature[:16] not in result.stdout + result.stderr
    assert signature[-16:] not in result.stdout + result.stderr


def test_explain_says_which_rule_decides(jwks: str, tmp_path: Path) -> None:
    """A good token without the group is refused by that rule, and the exit status says so."""
    file = tmp_path / "sidecar.toml"
    file.write_text('[[routes]]\npath = "/admin/*"\nmode = "require"\ngroups = ["admin"]\n')
    asked = ("--path", "/admin/users", "--method", "POST", "--config", str(file), "--json")
    result = run("explain", fresh(), "--jwks", jwks, *asked, **POOL)
    assert result.returncode == 1
    request = json.loads(result.stdout)["request"]
    assert (request["route"], request["answer"]) == ("/admin/*", "403 group_missing")


def test_explain_of_a_request_without_a_token_needs_no_keys() -> None:
    """Rules can be asked about before there is any token."""
    result = run("explain", "--path", "/a", "--mode", "require", "--json", **POOL)
    assert result.returncode == 1
    assert json.loads(result.stdout)["request"]["answer"] == "401 token_missing"
    assert run("explain", "--path", "/a", **POOL).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [("explain",), ("explain", "a.b.c", "--jwks", "/nonexistent"), ("explain", "--jwk", "x")],
)
def test_explain_with_unusable_arguments_exits_2(arguments: tuple[str, ...]) -> None:
    """Nothing to explain, or no keys in the file, is not an answer about a token."""
    result = run(*arguments, **POOL)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_check_with_bad_settings_lists_them_and_exits_2() -> None:
    """The first line of a check is what the start would say."""
    result = run("check", "--json", SIDECAR_MODE="Strict", **POOL)
    assert result.returncode == 2
    (finding,) = json.loads(result.stdout)["checks"]
    assert finding["level"] == "fail"
    assert finding["found"].startswith("SIDECAR_MODE")


@pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry") is not None
    and importlib.util.find_spec("opentelemetry.exporter") is not None,
    reason="the extra `otel` is installed",
)
def test_traces_without_the_extra_are_a_problem_with_a_remedy() -> None:
    """Who asks for traces and gets none is told before the first request."""
    result = run(
        *("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"),
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        SIDECAR_JWKS_URL="http://127.0.0.1:9/",
        **POOL,
    )
    assert result.returncode == 2
    assert "cognito-sidecar[otel]" in result.stderr
