"""Asks one URL and ends with 0 if it answers 200: a health check without curl or shell.

    python3 -I health.py URL [FILE ...]

Each FILE must exist as well. Imports little, for it runs every few seconds.
"""

import http.client
import sys
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 2.0  # below the 3 s that the images' HEALTHCHECK waits


def is_healthy(url: str) -> bool:
    """Whether a GET of `url` answers 200 within `TIMEOUT_S`."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    url, *files = sys.argv[1:]
    sys.exit(0 if all(Path(name).exists() for name in files) and is_healthy(url) else 1)
