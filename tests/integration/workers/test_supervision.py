"""The command with two workers: signals, deaths, output. Real processes throughout."""

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.model import Address
from sidecar.workers.__main__ import main
from tests.integration.workers.conftest import GET, Held, eventually, occupy_both, pids, status
from tests.support.key_server import KeyServer
from tests.support.ports import free_port
from tests.support.raw_client import Answer, ask
from tests.support.recording_backend import RecordingBackend
from tests.support.settings import REQUIRED, run
from tests.support.sidecar_process import SidecarProcess, sidecar_process

TWO = "workers = 2\n[timeouts]\ngrace_s = 0.3\ndrain_s = 10\n"


@contextlib.asynccontextmanager
async def occupied(
    folder: Path, backend: RecordingBackend, key_server: KeyServer
) -> AsyncIterator[tuple[SidecarProcess, list[asyncio.Task[Answer]]]]:
    """Run two workers, each of which has a request under way."""
    async with sidecar_process(
        folder, upstream=backend.url, jwks_url=key_server.url, table=TWO
    ) as sidecar:
        yield sidecar, await occupy_both(sidecar.address, sidecar.admin_address)


async def statuses(asked: list[asyncio.Task[Answer]]) -> set[int]:
    """Wait for all answers."""
    return {answer.status for answer in await asyncio.gather(*asked)}


def is_running(pid: int) -> bool:
    """Tell whether a process is there and more than an entry of the table."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def are_gone(*all_pids: int) -> bool:
    """Tell whether none of them runs any more."""
    return not any(is_running(pid) for pid in all_pids)


async def test_stop_lets_requests_of_every_worker_finish(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """SIGTERM drains all, though a service manager sends it to every process of ours."""
    held = Held()
    backend.reply = held.reply
    async with occupied(tmp_path, backend, key_server) as (sidecar, asked):
        workers = await pids(sidecar.admin_address)
        for pid in (sidecar.process.pid, *workers.values()):
            os.kill(pid, signal.SIGTERM)
        await sidecar.until_not_ready()
        await asyncio.sleep(0.5)  # beyond the time of grace
        held.let_go()
        assert await statuses(asked) == {200}
        assert await sidecar.process.wait() == 0
        assert await are_gone(*workers.values())


async def test_second_signal_stops_all_at_once(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """Whatever is under way in any worker is broken off, and the exit status is 0 all the same."""
    backend.reply = Held().reply
    async with occupied(tmp_path, backend, key_server) as (sidecar, asked):
        sidecar.process.send_signal(signal.SIGTERM)
        await sidecar.until_not_ready()
        sidecar.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(4):
            assert await sidecar.process.wait() == 0
        await asyncio.gather(*asked, return_exceptions=True)


async def test_workers_end_when_their_supervisor_is_killed(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """They finish what they have, and never go on as orphans that nobody sees."""
    held = Held()
    backend.reply = held.reply
    async with occupied(tmp_path, backend, key_server) as (sidecar, asked):
        workers = await pids(sidecar.admin_address)
        sidecar.process.kill()
        await sidecar.process.wait()
        held.let_go()
        assert await statuses(asked) == {200}
        await eventually(lambda: are_gone(*workers.values()))


async def test_worker_that_is_told_to_end_drains_and_is_replaced(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """SIGTERM to one worker loses no request."""
    held = Held()
    backend.reply = held.reply
    async with occupied(tmp_path, backend, key_server) as (sidecar, asked):
        before = await pids(sidecar.admin_address)
        os.kill(before[2], signal.SIGTERM)
        await sidecar.until_not_ready()
        held.let_go()
        assert await statuses(asked) == {200}

        async def is_replaced() -> bool:
            now = await pids(sidecar.admin_address)
            return len(now) == 2 and now[2] != before[2] and await sidecar.ready_status() == 200

        await eventually(is_replaced)
        assert (await pids(sidecar.admin_address))[1] == before[1]


async def test_hangup_changes_all_workers_or_none_and_counts_once(
    key_server: KeyServer, backend: RecordingBackend, tmp_path: Path
) -> None:
    """SIGHUP to the supervisor means what it means to one process."""
    async with sidecar_process(
        tmp_path, upstream=backend.url, jwks_url=key_server.url, table=TWO
    ) as sidecar:
        file = tmp_path / f"sidecar-{sidecar.admin_address.port}.toml"
        sound = file.read_text()

        async def reload(text: str, counted: tuple[int, int]) -> set[int]:
            file.write_text(text)
            sidecar.process.send_signal(signal.SIGHUP)

            async def is_done() -> bool:
                readings = (await status(sidecar.admin_address))["readings"]
                return (readings["reloads"], readings["failed_reloads"]) == counted

            await eventually(is_done)
            answers = await asyncio.gather(*(ask(sidecar.address, GET) for _ in range(12)))
            return {answer.status for answer in answers}

        assert await reload('mode = "strict"\n' + sound, (0, 1)) == {200}
        assert await reload('mode = "require"\n' + sound, (1, 1)) == {401}


async def test_lines_of_two_workers_are_never_mixed(
    key_server: KeyServer, backend: RecordingBackend
) -> None:
    """Each line of a pipe that both fill is one whole JSON object, and Ctrl-C loses none.

    A terminal sends SIGINT to every process.
    """
    port, admin = free_port(), free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar"),
        env={
            **os.environ,
            **REQUIRED,
            "SIDECAR_JWKS_URL": key_server.url,
            "SIDECAR_UPSTREAM": backend.url,
            "SIDECAR_LISTEN": f"127.0.0.1:{port}",
            "SIDECAR_ADMIN_LISTEN": f"127.0.0.1:{admin}",
            "SIDECAR_WORKERS": "2",
        },
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdout is not None
    while b"listening on" not in await process.stdout.readline():
        pass
    target = b"/" + b"long/" * 1500
    many = (b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n") * 10
    address = f"127.0.0.1:{port}"
    talks = [_send(address, many) for _ in range(24)]
    _, said = await asyncio.gather(asyncio.gather(*talks), _read_lines(process.stdout, 240))
    workers = (await pids(Address("127.0.0.1", admin))).values()
    for pid in (*workers, process.pid):
        os.kill(pid, signal.SIGINT)
    said += (await process.stdout.read()).splitlines()
    assert await process.wait() == 0
    paths = [json.loads(line).get("path", "") for line in said]
    assert paths.count(target.decode()) == 240


async def _send(address: str, requests: bytes) -> None:
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(requests)
    for _ in range(requests.count(b"GET ")):
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(2)
    writer.close()
    await writer.wait_closed()


async def _read_lines(stream: asyncio.StreamReader, count: int) -> list[bytes]:
    lines: list[bytes] = []
    while sum(b"/long/" in line for line in lines) < count:
        lines.append(await stream.readline())
    return lines


TAKEN = "cannot listen on 127.0.0.1:{}: the port is taken by another process"


async def test_taken_port_is_one_clear_line() -> None:
    """The same line and the same exit status as with one process."""
    other = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        variables = {"SIDECAR_JWKS_URL": "http://127.0.0.1:9/", "SIDECAR_WORKERS": "2", **REQUIRED}
        arguments = ("--listen", f"127.0.0.1:{port}", "--admin-listen", "127.0.0.1:0")
        result = await asyncio.to_thread(run, *arguments, **variables)
    assert (result.returncode, result.stderr) == (1, f"sidecar: {TAKEN.format(port)}\n")


@pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry") is not None
    and importlib.util.find_spec("opentelemetry.exporter") is not None,
    reason="the extra `otel` is installed",
)
def test_what_only_a_worker_finds_out_ends_the_start_as_usual() -> None:
    """One line and exit status 2, from the first start and without another attempt."""
    result = run(
        *("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--workers", "2"),
        SIDECAR_JWKS_URL="http://127.0.0.1:9/",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        **REQUIRED,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("sidecar: OTEL_* asks for traces")
    assert result.stderr.count("\n") == 1


def test_worker_without_a_supervisor_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody may find it in a list of processes and try."""
    assert main() == 2  # the standard input of a test is no socket
    assert "python -m sidecar" in capsys.readouterr().err
