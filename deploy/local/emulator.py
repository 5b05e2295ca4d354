"""This file runs MiniStack as a process of its own; it knows nothing of pools or users.

MiniStack is the stand-in for Amazon Cognito because it verifies what Cognito verifies: SRP proofs,
confirmation codes, refresh tokens, sign-out.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.leash import leashed
from deploy.local.loopback import HOST, is_healthy

START_TIMEOUT_S = 30.0  # it takes 0.3 s; a CI machine under load took 10
STOP_TIMEOUT_S = 5.0  # it saves its state on SIGTERM, in well under a second
POLL_S = 0.05


class EmulatorError(Exception):
    """MiniStack did not start, or is not what a test may rely on."""


def command() -> list[str]:
    """How MiniStack is started; the port comes with the environment."""
    return [sys.executable, "-m", "ministack"]


def environment(port: int, state_dir: Path) -> dict[str, str]:
    """The whole environment of MiniStack, nothing inherited that could change what it does.

    Args:
        port: Where it listens, on loopback only.
        state_dir: What it remembers until the next start; must exist.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return inherited | {
        "AUTH": "true",  # without it no signature, code or session is checked
        "SERVICES": "cloudformation,cognito-idp,ses",
        "BIND_HOST": HOST,  # the default is every interface
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # each of these two would open a port of its own
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state_dir),
        "TMPDIR": str(state_dir),  # its pid file
        "HOME": str(state_dir),  # no real ~/.aws
        "DOCKER_HOST": f"unix://{state_dir}/no-docker",  # else it removes containers at start
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }


def endpoint(port: int) -> str:
    """Where AWS's API answers."""
    return f"http://{HOST}:{port}"


def health_url(port: int) -> str:
    """Answers 200 once requests are served."""
    return f"{endpoint(port)}/_ministack/ready"


@contextmanager
def running_emulator(port: int, state_dir: Path) -> Iterator[str]:
    """MiniStack until the block ends. Gives the endpoint.

    Raises:
        EmulatorError: It ended at once, or did not answer in `START_TIMEOUT_S`.
    """
    argv = leashed(command())
    process = subprocess.Popen(argv, env=environment(port, state_dir), start_new_session=True)
    try:
        _wait_until_healthy(process, port)
        yield endpoint(port)
    finally:
        _stop(process)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(int(START_TIMEOUT_S / POLL_S)):
        if is_healthy(health_url(port)):
            return
        if _has_ended(process, POLL_S):
            raise EmulatorError(f"MiniStack ended with status {process.returncode} while starting")
    raise EmulatorError(f"MiniStack did not answer on port {port} within {START_TIMEOUT_S:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    if not _has_ended(process, STOP_TIMEOUT_S):
        process.kill()
        process.wait()


def _has_ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True
