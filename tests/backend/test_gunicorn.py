"""The backend as it really runs: gunicorn, its configuration, sockets and processes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = ["-m", "gunicorn", "-c", "backend/gunicorn.conf.py", "backend.app:create_app()"]
IDENTITY = {"X-Cognito-Sub": "s-1", "X-Cognito-Username": "bashir"}
# Seconds. A stop takes under one; gunicorn itself kills its workers after five.
STOP_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn on a port of its own choice."""

    port: int

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        is_chunked: bool = False,
    ) -> Answer:
        """Send one request on one connection; a body is announced as JSON."""
        fields = {"Content-Type": "application/json", "Connection": "close", **(headers or {})}
        payload = iter([body]) if is_chunked and body else body
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, payload, fields, encode_chunked=is_chunked)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read()))

    def post(self, message: str) -> Answer:
        """Post as IDENTITY."""
        body = json.dumps({"message": message, "ttl": "1-day"}).encode()
        return self.ask("POST", "/api/activities", body, IDENTITY)

    def messages(self) -> list[str]:
        """Give the messages of the anonymous home feed."""
        return [activity["message"] for activity in self.ask("GET", "/api/activities/home").body]


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """This process's environment without what would configure gunicorn or the backend."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BACKEND_", "FRONTEND_", "GUNICORN_", "WEB_CONCURRENCY"))
    }
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        **kept,
        "HOME": str(home),
        "BACKEND_BIND": "127.0.0.1:0",
        "BACKEND_DATABASE": str(folder / "db" / "backend.sqlite3"),
        **settings,
    }


@contextmanager
def gunicorn(folder: Path, **settings: str) -> Iterator[Server]:
    """Run gunicorn until the block ends, then ask it to stop and see that it does.

    Its access log is appended to `folder/access.log`.
    """
    with (folder / "access.log").open("ab") as access_log:
        process = subprocess.Popen(
            [sys.executable, *COMMAND],
            cwd=ROOT,
            env=environment(folder, **settings),
            stdout=access_log,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            yield Server(_listening_port(process))
            process.terminate()
            process.communicate(timeout=STOP_TIMEOUT_S)
        finally:
            if process.poll() is None:
                process.kill()
    assert process.returncode == 0


def _listening_port(process: "subprocess.Popen[str]") -> int:
    """Wait for gunicorn to say where it listens; from then on connections are queued."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if match := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line):
            return int(match[1])
    pytest.fail("gunicorn did not start:\n" + "".join(said))


def test_posted_activity_is_there_after_a_restart(tmp_path: Path) -> None:
    """Stopped by its own pid and started again, the backend has forgotten nothing."""
    with gunicorn(tmp_path) as server:
        assert server.ask("GET", "/health") == Answer(200, {"status": "ok"})
        posted = server.post("I was here")
        assert posted.status == 201
    with gunicorn(tmp_path) as server:
        assert posted.body in server.ask("GET", "/api/activities/home").body


def test_concurrent_posts_to_two_workers_all_arrive(tmp_path: Path) -> None:
    """Eight clients, two processes, one file: every accepted post is in the feed."""
    messages = [f"message {number}" for number in range(48)]
    with gunicorn(tmp_path, BACKEND_WORKERS="2", BACKEND_THREADS="4") as server:
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(server.post, messages))
        assert {answer.status for answer in answers} == {201}
        assert set(messages) <= set(server.messages())
    assert len({answer.body["uuid"] for answer in answers}) == len(messages)


def test_requests_at_the_edge_of_http_get_json(tmp_path: Path) -> None:
    """What only a real server shows: chunked bodies, long tokens, spellings of headers."""
    with gunicorn(tmp_path) as server:
        too_long = b'{"message": "hi", "ttl": "1-day"}'.ljust(64 * 1024 + 1)
        chunked = server.ask("POST", "/api/activities", too_long, IDENTITY, is_chunked=True)
        assert (chunked.status, chunked.body["error"]) == (413, "request_entity_too_large")
        # 8 KiB: the longest token the sidecar lets pass.
        token = {**IDENTITY, "Authorization": "Bearer " + "a" * 8192}
        assert server.ask("GET", "/api/whoami", headers=token).body["sub"] == "s-1"
        folded = {"X_Cognito_Sub": "s-2", "SCRIPT_NAME": "/api", "X-Forwarded-Ssl": "on"}
        assert server.ask("GET", "/api/whoami", headers=folded).body["sub"] is None


def test_access_log_is_short_and_keeps_secrets_out(tmp_path: Path) -> None:
    """One line for one request: no query, no credentials, no line break from a path."""
    with gunicorn(tmp_path) as server:
        secret = {"Authorization": "Bearer secret-token", "User-Agent": "secret-agent"}
        server.ask("GET", "/api/a%0Aforged?code=secret-code", headers=secret)
    lines = (tmp_path / "access.log").read_text().splitlines()
    assert len(lines) == 1
    assert re.fullmatch(r"\[.+\] GET '/api/a\\nforged' 404 \d+B \d+ms", lines[0])


def test_no_state_but_the_database_is_written(tmp_path: Path) -> None:
    """No control socket, no pid file: SQLite's three files are all there is."""
    with gunicorn(tmp_path) as server:
        server.post("hi")
        assert list((tmp_path / "home").iterdir()) == []
        kept = {path.name.removeprefix("backend.sqlite3") for path in (tmp_path / "db").iterdir()}
        assert kept == {"", "-wal", "-shm"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("BACKEND_WORKERS", "many"), ("BACKEND_BIND", "nowhere"), ("BACKEND_DATABASE", "{file}/db")],
)
def test_bad_setting_is_one_line_and_exit_2(tmp_path: Path, name: str, value: str) -> None:
    """The line names the setting; there is no traceback."""
    file = tmp_path / "file"
    file.touch()
    finished = subprocess.run(
        [sys.executable, *COMMAND],
        cwd=ROOT,
        env=environment(tmp_path, **{name: value.format(file=file)}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    own_lines = [line for line in finished.stderr.splitlines() if "[INFO]" not in line]
    assert finished.returncode == 2
    assert len(own_lines) == 1
    assert own_lines[0].startswith(f"backend: {name} must be ")
