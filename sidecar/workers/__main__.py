"""`python -m sidecar.workers`: what a supervisor starts, with the link as its standard input."""

import socket
import sys

import uvloop

from sidecar import collector
from sidecar.workers.worker import work


def main() -> int:
    """Work until told to stop; 2 if nobody is there to tell."""
    try:
        connection = socket.socket(fileno=sys.stdin.fileno())
    except OSError:
        sys.stderr.write("sidecar: a worker is started by its supervisor: python -m sidecar\n")
        return 2
    collector.relieve()
    uvloop.run(work(connection))
    return 0


if __name__ == "__main__":
    sys.exit(main())
