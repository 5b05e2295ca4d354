"""`make bench`: CPU per proxied request beside a direct call to the same backend.

100 hot tokens, everything switched on that is on by default. The sidecar has one core to itself;
backend (nginx) and load generator (wrk) share the other.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from tests.bench.measure import Load, Round, measure
from tests.bench.programs import ProgramsMissing, path_of, require
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.ports import free_port
from tests.support.processes import until

SIDECAR_CPU = 0
OTHER_CPU = 1
TOKENS = 100
ROOT = Path(__file__).parents[2]

_NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 75s;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{body}"; }} }}
}}
"""

_SCRIPT = """
local tokens = {{}}
for token in io.lines("{tokens}") do tokens[#tokens + 1] = "Bearer " .. token end
local next = 0
request = function()
  next = next % #tokens + 1
  return wrk.format("GET", "/api/feed", {{ Authorization = tokens[next] }})
end
"""


async def main() -> int:
    """Measure and print a table; 1 if a program is missing."""
    options = _options()
    try:
        require("wrk", "nginx")
    except ProgramsMissing as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = stack.enter_context(_nginx(folder))
        load = Load(_script(folder), options.seconds, options.connections, OTHER_CPU)
        async with _sidecar(backend, folder) as (sidecar, pid):
            urls = {"direct": (backend, None), "through the sidecar": (sidecar, pid)}
            rounds: dict[str, list[Round]] = {name: [] for name in urls}
            for _ in range(options.rounds):
                for name, (url, measured) in urls.items():
                    rounds[name].append(await measure(url, load, measured))
    _print(rounds, options)
    return 0


def _print(rounds: dict[str, list[Round]], options: argparse.Namespace) -> None:
    print(
        f"{options.rounds} rounds of {options.seconds} s, {options.connections} connections, "
        f"{TOKENS} tokens; medians"
    )
    print(f"{'':22}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU us/request':>16}")
    for name, measured in rounds.items():
        cpu = [r.cpu_us for r in measured if r.cpu_us is not None]
        print(
            f"{name:22}{statistics.median(r.requests_per_s for r in measured):12.0f}"
            f"{statistics.median(r.p50_ms for r in measured):9.2f}"
            f"{statistics.median(r.p99_ms for r in measured):9.2f}"
            f"{f'{statistics.median(cpu):.1f}' if cpu else 'n/a':>16}"
        )


@contextmanager
def _nginx(folder: Path) -> Iterator[str]:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, body="x" * 1024))
    command = [path_of("nginx"), "-p", str(folder), "-c", str(config)]
    process = subprocess.Popen(["taskset", "--cpu-list", str(OTHER_CPU), *command])
    try:
        until(lambda: _accepts(port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@asynccontextmanager
async def _sidecar(backend: str, folder: Path) -> AsyncIterator[tuple[str, int]]:
    keys = await KeyServer().start()
    port = free_port()
    environment = {
        **os.environ,
        "AWS_COGNITO_USER_POOL_ID": mint.POOL_ID,
        "AWS_COGNITO_USER_POOL_CLIENT_ID": mint.CLIENT_ID,
        "SIDECAR_JWKS_URL": keys.url,
        "SIDECAR_UPSTREAM": backend,
        "SIDECAR_LISTEN": f"127.0.0.1:{port}",
        "SIDECAR_ADMIN_LISTEN": "127.0.0.1:0",
        "SIDECAR_MODE": "require",
    }
    with (folder / "sidecar.log").open("wb") as log:
        command = ["taskset", "--cpu-list", str(SIDECAR_CPU), sys.executable, "-m", "sidecar"]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log)  # noqa: ASYNC220 - returns at once
        try:
            await asyncio.to_thread(until, lambda: _accepts(port), process)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 20)
            await keys.stop()


def _script(folder: Path) -> Path:
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    tokens = folder / "tokens"
    tokens.write_bytes(b"\n".join(mint.mint(now=now, sub=f"user-{n}") for n in range(TOKENS)))
    script = folder / "load.lua"
    script.write_text(_SCRIPT.format(tokens=tokens))
    return script


def _accepts(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
