"""Verification inside Flask as tutorials do it, and the same Flask without, for a sidecar to front.

Both under gunicorn with one worker of eight threads, as the sample backend.
"""

import sys
from collections.abc import Callable

from tests.bench.interpreter import packages, python
from tests.bench.peers.peer import Peer, Setup
from tests.bench.processes import Command


def gunicorn_command(setup: Setup, app: str) -> Command:
    """Serve an application."""
    return Command(
        (
            *(python(), "-m", "gunicorn", "--bind", f"127.0.0.1:{setup.port}"),
            *("--worker-class", "gthread", "--workers", "1", "--threads", "8"),
            *("--keep-alive", "2", "--limit-request-field_size", "16384"),
            *("--log-level", "error", "--no-control-socket", app),
        ),
        {"BENCH_JWKS": str(setup.keys.jwks), **packages()},
    )


def _serving(factory: str) -> Callable[[Setup], Command]:
    return lambda setup: gunicorn_command(setup, f"tests.bench.peers.flask_app:{factory}()")


def _version() -> tuple[str, ...]:
    return (sys.executable, "-m", "gunicorn", "--version")


FLASK_PLAIN = Peer("Flask", "python", _serving("plain"), _version)
FLASK_VERIFIES = Peer("Flask verifies", "python", _serving("verifying"), _version)
