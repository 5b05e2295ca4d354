"""nginx, Envoy and Traefik themselves, with the configuration of deploy/verify, ask `/verify`."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.model import Address, BearerToken
from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.support import mint
from tests.support.ports import free_port
from tests.support.processes import until
from tests.support.raw_client import Answer, ask
from tests.support.recording_backend import RecordingBackend

FILES = Path(__file__).parents[3] / "deploy" / "verify"

RULES = """
[[routes]]
path = "/public/*"
mode = "strip"
[[routes]]
path = "/admin/*"
mode = "require"
groups = ["admin"]
methods = ["POST"]
"""

COMMANDS = {
    "nginx": ("nginx", "-p", "{folder}", "-c", "nginx.conf", "-e", "stderr"),
    "envoy": ("envoy", "-c", "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id"),
    "traefik": ("traefik", "--configFile=traefik.yaml"),
}

# What the files leave to the distribution: not to become a daemon, and where to write.
NGINX_HERE = """
daemon off; master_process off; pid nginx.pid;
events {}
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
"""


def program(name: str) -> str:
    """Return the path of a program, or skip the test that needs it."""
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin")
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        pytest.skip(f"{name} is not installed (requirements-test.lock, or Debian's nginx-light)")
    return found


def write_files(folder: Path, verify: Address, backend: Address) -> int:
    """Write the files of deploy/verify with other ports; return the public one."""
    port = free_port()
    for file in FILES.iterdir():
        text = file.read_text()
        for documented, actual in (("4567", backend.port), ("8082", verify.port), ("8080", port)):
            text = text.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{actual}")
            text = text.replace(f"port_value: {documented}", f"port_value: {actual}")
        if file.name == "nginx.conf":
            text = text.replace("events {}\nhttp {\n", NGINX_HERE)
        (folder / file.name).write_text(text)
    return port


@pytest.fixture
async def sidecar(start_sidecar: StartSidecar, tmp_path: Path) -> Sidecar:
    """Start a sidecar that answers other proxies and requires tokens but for /public."""
    file = tmp_path / "sidecar.toml"
    file.write_text(RULES)
    return await start_sidecar(mode="require", verify_listen="127.0.0.1:0", config=str(file))


@pytest.fixture(params=list(COMMANDS))
async def proxy(
    request: pytest.FixtureRequest, sidecar: Sidecar, backend: RecordingBackend, tmp_path: Path
) -> AsyncIterator[Address]:
    """Run each proxy in front of backend and sidecar."""
    name, *arguments = COMMANDS[request.param]
    path = program(name)
    assert sidecar.verify_address is not None
    port = write_files(tmp_path, sidecar.verify_address, backend.address)
    command = [path, *(argument.format(folder=f"{tmp_path}/") for argument in arguments)]
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)  # noqa: ASYNC220 - returns at once
    try:
        await asyncio.to_thread(until, lambda: _accepts(port), process)
        await _until_it_asks(Address("127.0.0.1", port))
        backend.forget()
        yield Address("127.0.0.1", port)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
        log.seek(0)
        print(log.read()[-3000:])
        log.close()


def _accepts(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


async def _until_it_asks(proxy: Address) -> None:
    """Wait until the proxy has read its routes and knows its backend: it then refuses by us."""
    async with asyncio.timeout(15):
        while (await put(proxy, "/private")).status != 401:  # noqa: ASYNC110 - see below
            await asyncio.sleep(0.05)  # Traefik reads its routes after it has begun to listen


async def put(proxy: Address, target: str, *fields: str, method: str = "GET") -> Answer:
    """Send a request through the proxy."""
    lines = [f"{method} {target} HTTP/1.1", "Host: site.example", *fields, "", ""]
    return await ask(proxy, "\r\n".join(lines).encode())


def bearer(token: bytes) -> str:
    """Write the field of a token."""
    return f"Authorization: Bearer {token.decode()}"


async def test_good_token_reaches_the_backend_as_identity(
    proxy: Address, backend: RecordingBackend, token: BearerToken
) -> None:
    """The backend sees who it is, once, whatever the client claimed."""
    answer = await put(proxy, "/private?q=%C3%A9", bearer(token), "X-Cognito-Sub: somebody-else")
    assert answer.status == 200
    assert backend.last.target == "/private?q=%C3%A9"
    assert backend.last.values("x-cognito-sub") == [mint.SUB]
    assert backend.last.values("x-cognito-username") == [mint.USERNAME]


async def test_claimed_identity_of_an_anonymous_client_is_removed(
    proxy: Address, backend: RecordingBackend
) -> None:
    """On a public path nobody is signed in, and nobody can say they are."""
    claims = ("X-Cognito-Sub: spoofed", "x-cognito-username: spoofed")
    answer = await put(proxy, "/public/x", *claims)
    assert answer.status == 200
    assert backend.last.values("x-cognito-sub") == []
    assert backend.last.values("x-cognito-username") == []


@pytest.mark.parametrize(
    "asked",
    [
        ("GET", "/private", {401}),
        ("POST", "/admin/users", {403}),
        # nginx knows only 401 and 403 from whoever it asks; Envoy and Traefik may clean the path.
        ("GET", "/public/../private", {400, 401, 500}),
    ],
)
async def test_refused_request_never_reaches_the_backend(
    proxy: Address, backend: RecordingBackend, token: BearerToken, asked: tuple[str, str, set[int]]
) -> None:
    """Method and path are the client's, and the refusal is passed on."""
    method, target, statuses = asked
    fields = (bearer(token), "Content-Length: 0") if method == "POST" else ()
    assert (await put(proxy, target, *fields, method=method)).status in statuses
    assert backend.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        ("X-Original-URI: /public/x", "X-Original-Method: GET"),
        ("X-Forwarded-Uri: /public/x", "X-Forwarded-Method: GET"),
        ("X-Original-URI: /public/x", "X-Forwarded-Uri: /public/x"),
        ("X-Forwarded-Uri: /public/x", "X-Forwarded-Prefix: /public"),
        ("x-envoy-original-path: /public/x",),
    ],
)
async def test_client_cannot_choose_the_request_that_is_judged(
    proxy: Address, backend: RecordingBackend, fields: tuple[str, ...]
) -> None:
    """What names the request to the sidecar is the proxy's to say."""
    answer = await put(proxy, "/private", *fields)
    assert answer.status in (400, 401, 500)
    assert backend.requests == []
