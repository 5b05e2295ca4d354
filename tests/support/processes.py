"""Waiting for a process of ours to get somewhere."""

import subprocess
import time
import urllib.error
from collections.abc import Callable


def until(
    is_there: Callable[[], bool], process: "subprocess.Popen[bytes]", deadline_s: float = 20
) -> None:
    """Look again and again until `is_there`; fail if the process ends or the time is up."""
    deadline = time.monotonic() + deadline_s
    while True:
        assert process.poll() is None, f"the process ended with status {process.returncode}"
        try:
            if is_there():
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        assert time.monotonic() < deadline, f"not there after {deadline_s} s"
        time.sleep(0.02)  # noqa: TID251 - another process's progress sends us no event
