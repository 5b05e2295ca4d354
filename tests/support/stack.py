"""The whole stack, as `make demo` starts it: local Cognito, gunicorn, sidecar, frontend."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from deploy.local.pool import LocalPool
from deploy.local.record import recorded_pool
from tests.support.ports import free_port, port_offset
from tests.support.processes import until

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Reply:
    """A response, its body read as JSON."""

    status: int
    fields: "Message[str, str]"
    body: Any


@dataclass(frozen=True)
class Stack:
    """A running demo."""

    pool: LocalPool
    record: Mapping[str, Any]

    def ask(self, path: str, *, base: str = "sidecar_url", **options: Any) -> Reply:
        """Ask one of the servers; see `ask`."""
        return ask(self.record[base] + path, **options)

    def asking_cognito(self, **environment: str) -> AbstractContextManager[str]:
        """Run another sidecar of the demo's, which asks Cognito about every token; see below."""
        return running_sidecar(
            self.record["backend_url"],
            AWS_COGNITO_USER_POOL_ID=self.pool.user_pool_id,
            AWS_COGNITO_USER_POOL_CLIENT_ID=self.pool.client_id,
            SIDECAR_JWKS_URL=self.pool.jwks_url,
            SIDECAR_COGNITO_ENDPOINT=self.pool.endpoint,
            SIDECAR_REVOCATION_CHECK_S="0.001",
            **environment,
        )


def ask(
    url: str,
    *,
    token: str | None = None,
    fields: Mapping[str, str] | None = None,
    method: str | None = None,
    json_body: object = None,
) -> Reply:
    """Ask over a real socket, with a token if given."""
    request = urllib.request.Request(url, method=method)  # noqa: S310 - loopback
    for name, value in (fields or {}).items():
        request.add_header(name, value)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    if json_body is not None:
        request.data = json.dumps(json_body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
            return Reply(response.status, response.headers, json.loads(response.read() or "null"))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, json.loads(error.read() or "null"))


@contextmanager
def running_sidecar(backend_url: str, **environment: str) -> Iterator[str]:
    """Run `python -m sidecar` in a process of its own; yields its URL once it is ready."""
    public, admin = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar"],
        cwd=ROOT,
        env={
            "SIDECAR_UPSTREAM": backend_url,
            "SIDECAR_LISTEN": f"127.0.0.1:{public}",
            "SIDECAR_ADMIN_LISTEN": f"127.0.0.1:{admin}",
            **environment,
        },
    )
    try:
        until(lambda: ask(f"http://127.0.0.1:{admin}/readyz").status == 200, process)
        yield f"http://127.0.0.1:{public}"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@contextmanager
def running_demo(state_dir: Path) -> Iterator[Stack]:
    """Start the demo on ports of its own; what it said is shown when a test fails."""
    command = [sys.executable, "-m", "deploy.local.demo"]
    command += ["--port-offset", str(port_offset()), "--state-dir", str(state_dir)]
    log = (state_dir / "demo.log").open("w+")
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        until((state_dir / "demo.json").exists, process, deadline_s=40)
        record = json.loads((state_dir / "demo.json").read_text())
        yield Stack(recorded_pool(state_dir), record)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(20)
        log.seek(0)
        print(log.read())
        log.close()
    assert status == 0
