"""This file speaks HTTP to 127.0.0.1 and looks at its ports; it never leaves the machine.

`http.client` on purpose: what reads proxy settings from the environment would send a developer's
loopback traffic to the company's proxy.
"""

import errno
import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
HOST_V6 = "::1"
TIMEOUT_S = 2.0  # one request on loopback; a part that needs longer is not healthy yet


def fetch(url: str) -> tuple[int, bytes]:
    """Status and body of one GET.

    Raises:
        OSError: Nothing answers, or not within `TIMEOUT_S`.
        http.client.HTTPException: What answers does not speak HTTP.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or HOST, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def fetch_json(url: str) -> Any:  # noqa: ANN401 - the JSON boundary; the caller knows the shape
    """The JSON document at `url`, whatever the status. Errors as in `fetch`."""
    return json.loads(fetch(url)[1])


def is_healthy(url: str) -> bool:
    """Whether a GET of `url` answers 200 right now."""
    try:
        status, _ = fetch(url)
    except (OSError, http.client.HTTPException):
        return False
    return status == http.HTTPStatus.OK


def is_taken(port: int, host: str = HOST) -> bool:
    """Whether a listener of ours would be refused. A host this machine lacks is not taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT is not taken
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno in (errno.EADDRINUSE, errno.EACCES)
    return False


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
