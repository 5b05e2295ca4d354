"""Settings for tests, and the command line as a process."""

import os
import subprocess
import sys

from sidecar.config import Settings, load

POOL = "eu-west-1_AbCdEfGhI"
REQUIRED = {
    "AWS_COGNITO_USER_POOL_ID": POOL,
    "AWS_COGNITO_USER_POOL_CLIENT_ID": "client-1",
}


def settings(**environment: str) -> Settings:
    """Load settings from an environment that has what is required."""
    return load({}, {**REQUIRED, **environment})


def run(*arguments: str, stdin: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m sidecar` to its end, with no settings but these."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SIDECAR_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", "sidecar", *arguments],
        env={**clean, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
