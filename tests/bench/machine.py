"""Where and with what a run was made: figures mean nothing without it."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import interpreter
from tests.bench.peers.peer import Peer
from tests.bench.programs import path_of

_MIB = 1024 * 1024
_VERSION_S = 20  # Envoy's binary is large; the first look at it may have to read it from a disk


def describe() -> list[str]:
    """Say what the machine is, in lines."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB
    return [
        f"date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"machine: {_processor()}, {os.cpu_count()} cores, {pages} MiB",
        f"system: {platform.system()} {platform.release()}, Python {platform.python_version()}",
        interpreter.describe(),
        f"load average before: {os.getloadavg()[0]:.2f} (the figures need a calm machine)",
        f"load generator: {_first_line(path_of('wrk'), '--version')}",
        f"backend: {_first_line(path_of('nginx'), '-v')}",
    ]


def version_of(peer: Peer) -> str:
    """Ask a peer's program for its version."""
    return _first_line(*peer.version())


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_VERSION_S)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[0].removeprefix(command[0]).strip() if lines else "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
