"""The backend with the middleware, as it would run without a sidecar: gunicorn, forked workers."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import mint
from tests.support.key_thread import serving_keys

ROOT = Path(__file__).parents[3]
NOBODY = {"sub": None, "username": None}
FOREIGN = ("AWS_", "SIDECAR_", "BACKEND_", "FRONTEND_", "GUNICORN_")
OPTIONS = ("-c", "backend/gunicorn.conf.py", "--preload", "--workers", "2")
STOP_S = 15


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Two workers, forked after the middleware has started its thread."""
    folder = tmp_path_factory.mktemp("gunicorn")
    inherited = {name: v for name, v in os.environ.items() if not name.startswith(FOREIGN)}
    with serving_keys() as keys:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *OPTIONS, "backend.app:create_app()"],
            cwd=ROOT,
            env={
                **inherited,
                "AWS_COGNITO_USER_POOL_ID": mint.POOL_ID,
                "AWS_COGNITO_USER_POOL_CLIENT_ID": mint.CLIENT_ID,
                "SIDECAR_JWKS_URL": keys.url,
                "BACKEND_BIND": "127.0.0.1:0",
                "BACKEND_DATABASE": str(folder / "backend.sqlite3"),
                "BACKEND_MIDDLEWARE": "sidecar.wsgi:CognitoIdentity",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield _listening_port(process)
                process.send_signal(signal.SIGTERM)
                said = process.communicate(timeout=STOP_S)[1]
            finally:
                process.kill()
    assert process.returncode == 0
    assert "Traceback" not in said


def _listening_port(process: "subprocess.Popen[str]") -> int:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if match := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line):
            return int(match[1])
    pytest.fail("gunicorn did not start:\n" + "".join(said))


def bearer(sub: str = mint.SUB) -> tuple[str, str]:
    token = mint.mint(now=time.time(), sub=sub)  # noqa: TID251 - the middleware's own clock
    return "Authorization", f"Bearer {token.decode()}"


def whoami(port: int, fields: Sequence[tuple[str, str]]) -> tuple[str | None, Mapping[str, Any]]:
    """What the application was told, and what the answer says of the token."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", "/api/whoami")
    for name, value in [*fields, ("Connection", "close")]:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    try:
        return answer.getheader("X-Cognito-Auth"), json.loads(answer.read())
    finally:
        connection.close()


def test_every_forked_worker_proves_callers(port: int) -> None:
    """Threads do not survive a fork: each worker fetches keys of its own and goes on."""
    for number in range(30):
        sub = f"sub-{number}"
        expected = {"sub": sub, "username": mint.USERNAME}
        assert whoami(port, [bearer(sub)]) == ("authenticated", expected)


@pytest.mark.parametrize("name", ["X-Cognito-Sub", "x-cognito-sub", "X_Cognito_Sub"])
def test_spoofed_field_over_the_wire_names_nobody(port: int, name: str) -> None:
    """Alone it is removed; beside a token it does not count."""
    spoofed = (name, "somebody-else")
    assert whoami(port, [spoofed]) == ("anonymous", NOBODY)
    proven = {"sub": mint.SUB, "username": mint.USERNAME}
    assert whoami(port, [spoofed, bearer()]) == ("authenticated", proven)
    assert whoami(port, [bearer(), spoofed]) == ("authenticated", proven)


def test_two_authorization_fields_prove_nobody(port: int) -> None:
    """Gunicorn joins them with a comma; what comes out is no token."""
    told = whoami(port, [bearer("sub-1"), bearer("sub-2")])
    assert told == ("anonymous; reason=token_malformed", NOBODY)
