"""A JWKS server in a thread, for tests without an event loop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.mint import jwks


@dataclass
class KeyThread:
    """What is served, and how often it was asked for. Changes count from the next request on."""

    url: str = ""
    document: bytes = field(default_factory=jwks)
    status: int = 200
    fetches: int = 0


@contextmanager
def serving_keys() -> Iterator[KeyThread]:
    """Serve the keys of the test pool on loopback until the block ends."""
    keys = KeyThread()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.fetches += 1
            self.send_response(keys.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(keys.document)))
            self.end_headers()
            self.wfile.write(keys.document)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        keys.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        try:
            yield keys
        finally:
            server.shutdown()
            thread.join()
