"""Ports that are free at this moment."""

import socket

from deploy.local.parts import Ports, taken_ports


def free_port() -> int:
    """Return a TCP port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_offset() -> int:
    """Return an offset at which all ports of a demo are free."""
    return next(n for n in range(11_000, 22_000, 100) if not taken_ports(Ports().shifted(n)))
