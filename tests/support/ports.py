"""Ports that are free at this moment."""

import os
import socket

from deploy.local.parts import Ports, taken_ports


def free_port() -> int:
    """Return a TCP port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_offset() -> int:
    """Return an offset at which all ports of a demo are free.

    Test processes that run side by side look in ranges of their own, for between looking and
    taking another one may look too.
    """
    first = 11_000 + 4_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return next(n for n in range(first, first + 4_000, 100) if not taken_ports(Ports().shifted(n)))
