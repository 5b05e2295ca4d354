"""This file is the local Cognito of `docker compose up`: MiniStack, the pool, two users, then wait.

Others learn the pool's ids from the files it writes to /pool, the last of which says that all is
there: `frontend.env` and `demo.json`, then `sidecar.toml`. What it holds survives in /state.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from deploy.local import emulator
from deploy.local.aws import REGION
from deploy.local.loopback import is_healthy, is_taken
from deploy.local.pool import LocalPool, create_pool
from deploy.local.sign_in import assert_tokens_are_signed

STATE = Path("/state")
POOL = Path("/pool")


def main() -> int:
    """Run until SIGTERM. The exit status is MiniStack's, 0 after a stop."""
    port = int(os.environ.get("STAND_IN_PORT", "4566"))
    if is_taken(port):  # else the pool would be made in whatever answers there
        sys.exit(f"port {port} is taken")
    for name in ("sidecar.toml", "frontend.env", "demo.json"):
        (POOL / name).unlink(missing_ok=True)  # of an earlier start: nothing is ready yet
    environment = emulator.environment(port, STATE)
    # The other containers and the browser are not on this one's loopback.
    environment["BIND_HOST"] = os.environ.get("STAND_IN_HOST", "0.0.0.0")  # noqa: S104
    process = subprocess.Popen(emulator.command(), env=environment)  # noqa: S603 - fixed words
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    _wait_until_healthy(process, port)
    pool = create_pool(emulator.endpoint(port))
    assert_tokens_are_signed(pool)
    _announce(pool)
    status = process.wait()
    return 0 if status in (0, -signal.SIGTERM) else 1


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(int(emulator.START_TIMEOUT_S / emulator.POLL_S)):
        if is_healthy(emulator.health_url(port)):
            return
        try:
            sys.exit(f"MiniStack ended with status {process.wait(emulator.POLL_S)}")
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    sys.exit(f"MiniStack did not answer within {emulator.START_TIMEOUT_S:.0f} s")


def _announce(pool: LocalPool) -> None:
    """Say where everything is, as browser and sidecar see it."""
    seen_by_sidecar = os.environ.get("STAND_IN_URL", "http://cognito:4566")
    seen_by_browser = os.environ.get("STAND_IN_PUBLIC_URL", "http://localhost:4566")
    frontend = {
        "VITE_COGNITO_REGION": REGION,
        "VITE_COGNITO_USER_POOL_ID": pool.user_pool_id,
        "VITE_COGNITO_CLIENT_ID": pool.client_id,
        "VITE_COGNITO_ENDPOINT": seen_by_browser,
    }
    sidecar = {
        "user_pool_id": pool.user_pool_id,
        "user_pool_client_id": pool.client_id,
        "jwks_url": f"{seen_by_sidecar}/{pool.user_pool_id}/.well-known/jwks.json",
    }
    _write("frontend.env", "".join(f"{name}={value}\n" for name, value in frontend.items()))
    _write("demo.json", json.dumps(asdict(pool)))
    _write("sidecar.toml", "".join(f'{name} = "{value}"\n' for name, value in sidecar.items()))
    users = ", ".join(f"{user.email} / {user.password}" for user in pool.users)
    print(f"user pool {pool.user_pool_id}, client {pool.client_id}, users {users}", flush=True)


def _write(name: str, text: str) -> None:
    draft = POOL / f"{name}.draft"  # a reader sees the whole file or none
    draft.write_text(text, encoding="utf-8")
    draft.replace(POOL / name)


if __name__ == "__main__":
    sys.exit(main())
