"""What stands behind every peer, on the other core: nginx, the sample backend, a WebSocket echo."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench.interpreter import packages, python
from tests.bench.keys import Keys
from tests.bench.processes import OTHER_CPU, Command, accepts, listening
from tests.bench.programs import path_of
from tests.support.ports import free_port

_KIB = 1024
FILES = {"64k": 64 * _KIB, "16m": 16 * _KIB * _KIB}
"""Names and lengths in bytes of what nginx serves, beside 1 KiB at every other path."""

_NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; open_file_cache max=10;
  keepalive_requests 100000000; keepalive_timeout 75s;
  client_max_body_size 1m; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {folder};
    location = /64k {{ }}
    location = /16m {{ }}
    location = /jwks.json {{ alias {jwks}; }}
    location / {{ return 200 "{body}"; }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, keys: Keys) -> Iterator[str]:
    """Serve small and large answers, and the pool's keys; gives `host:port`."""
    port = free_port()
    own = folder / "nginx"
    own.mkdir()
    own.chmod(0o755)
    for name, length in FILES.items():
        (own / name).write_bytes(b"x" * length)
    file = own / "nginx.conf"
    file.write_text(_NGINX.format(folder=own, port=port, jwks=keys.jwks, body="x" * _KIB))
    command = Command((path_of("nginx"), "-p", str(own), "-c", str(file)))
    with listening(command, partial(accepts, port), OTHER_CPU, own / "log"):
        yield f"127.0.0.1:{port}"


@contextmanager
def sample_backend(folder: Path) -> Iterator[str]:
    """Serve the project's own Flask backend under gunicorn; gives `host:port`."""
    port = free_port()
    arguments = ("-c", "backend/gunicorn.conf.py", "backend.app:create_app()")
    command = Command(
        (python(), "-m", "gunicorn", *arguments),
        {
            **packages(),
            "BACKEND_BIND": f"127.0.0.1:{port}",
            "BACKEND_DATABASE": str(folder / f"backend-{port}.sqlite3"),
        },
        has_log_lines=True,
    )
    with listening(command, partial(accepts, port), OTHER_CPU, folder / f"backend-{port}.log"):
        yield f"127.0.0.1:{port}"


@contextmanager
def echo(folder: Path) -> Iterator[str]:
    """Serve WebSockets that send every message back; gives `host:port`."""
    port = free_port()
    command = Command((python(), "-m", "tests.bench.echo", str(port)), packages())
    with listening(command, partial(accepts, port), OTHER_CPU, folder / f"echo-{port}.log"):
        yield f"127.0.0.1:{port}"
