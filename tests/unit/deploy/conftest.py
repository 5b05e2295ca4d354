"""Small programs that stand in for the demo's parts."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.loopback import HOST, free_port
from deploy.local.supervisor import Part

# Answers 200 on its port, and says so. What a test wants besides is in `extra`.
PROGRAM = """
import os, signal, subprocess, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass

port = int(sys.argv[1])
{extra}
print("pid", os.getpid())
HTTPServer(("127.0.0.1", port), Health).serve_forever()
"""

MakePart = Callable[..., Part]


@pytest.fixture
def make_part(tmp_path: Path) -> MakePart:
    """A part that becomes healthy, unless `extra` says otherwise."""

    def make(name: str = "part", extra: str = "") -> Part:
        port = free_port()
        return Part(
            name=name,
            command=(sys.executable, "-c", PROGRAM.format(extra=extra), str(port)),
            environment={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
            directory=tmp_path,
            health_url=f"http://{HOST}:{port}/",
        )

    return make
