"""The whole demo, as a person runs it: real parts, real signals, ports of its own."""

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from dataclasses import astuple
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.loopback import fetch, is_taken
from deploy.local.parts import ROOT, Ports, taken_ports


class Demo:
    """A running demo and what it has printed. A class because it is a process with a lifetime."""

    def __init__(self, process: Process, ports: Ports, state_dir: Path) -> None:
        self.process = process
        self.ports = ports
        self.state_dir = state_dir
        self.printed: list[str] = []

    async def read_until(self, text: str) -> None:
        """Collect lines until one holds `text`, or until the demo has ended."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.printed.append(line.decode().rstrip())
            if text in self.printed[-1]:
                return

    async def end(self) -> int:
        """Collect the rest. Gives the exit status."""
        await self.read_until("\0 is in no line")
        return await self.process.wait()

    def assert_nothing_is_left(self) -> None:
        """No port is open, no record says there is a demo."""
        assert not [port for port in astuple(self.ports) if is_taken(port)]
        assert not (self.state_dir / "demo.json").exists()


def free_offset() -> int:
    # Not from 0 up: a second test run on this machine would look at the same ports at once.
    offsets = range(100 + os.getpid() % 500 * 100, 57_000, 10)
    return next(offset for offset in offsets if not taken_ports(Ports().shifted(offset)))


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """The demo up to the moment a person can use it."""
    offset = free_offset()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.demo"),
        *(f"--port-offset={offset}", f"--state-dir={tmp_path}"),
        cwd=ROOT,
        stdout=PIPE,
        stderr=STDOUT,
    )
    running = Demo(process, Ports().shifted(offset), tmp_path)
    await running.read_until("Authorization: Bearer")
    yield running
    if process.returncode is None:
        process.terminate()
        await running.end()


def get(url: str, headers: dict[str, str]) -> HTTPResponse:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connection.request("GET", parts.path, headers=headers | {"Connection": "close"})
    return connection.getresponse()


def paste(command: str) -> HTTPResponse:
    """What a shell and curl make of the line; a machine that runs the tests may have no curl."""
    match shlex.split(command):
        case ["curl", "-i", url]:
            return get(url, {})
        case ["curl", "-i", "-H", field, url]:
            name, _, value = field.partition(": ")
            return get(url, {name: value})
        case words:
            raise AssertionError(words)


async def output_of(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    return (await process.communicate())[0].decode()


async def test_the_demo_works_and_ctrl_c_ends_all_of_it(demo: Demo) -> None:
    """Both printed commands work when pasted, the record is right, Ctrl-C is a clean end."""
    curls = [line.strip() for line in demo.printed if line.startswith("  curl ")]
    anonymous, signed_in = [await asyncio.to_thread(paste, line) for line in curls]
    assert (anonymous.status, anonymous.getheader("X-Cognito-Auth")) == (200, "anonymous")
    assert (signed_in.status, signed_in.getheader("X-Cognito-Auth")) == (200, "authenticated")

    record = json.loads((demo.state_dir / "demo.json").read_text())
    for url in (record["jwks_url"], record["sidecar_url"] + "/health", record["frontend_url"]):
        assert fetch(url)[0] == 200, url

    demo.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        assert await demo.end() == 0
    demo.assert_nothing_is_left()


async def test_the_token_of_the_running_demo_is_accepted(demo: Demo) -> None:
    """`make token` prints one token and nothing else; the sidecar takes it."""
    command = (sys.executable, "-m", "deploy.local.token", f"--state-dir={demo.state_dir}")
    token = await output_of(*command, "--user=grace@example.com")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", token)
    headers = {"Authorization": f"Bearer {token.strip()}"}
    answer = await asyncio.to_thread(get, f"{demo.ports.sidecar_url}/api/whoami", headers)
    record = json.loads((demo.state_dir / "demo.json").read_text())
    assert json.loads(answer.read())["sub"] == record["users"][1]["sub"]
    assert await output_of(*command, "--id") != token


def child_running(program: str, parent_pid: int) -> int:
    children = Path(f"/proc/{parent_pid}/task/{parent_pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return next(pid for pid, command in commands.items() if program in command)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the part by /proc")
async def test_a_part_that_dies_ends_the_demo_and_is_named(demo: Demo) -> None:
    """The status is not 0, the last line names the part, nothing is left."""
    os.kill(child_running("gunicorn", demo.process.pid), signal.SIGKILL)
    async with asyncio.timeout(10):
        assert await demo.end() == 1
    assert demo.printed[-1] == "demo: backend ended with status -9"
    demo.assert_nothing_is_left()
