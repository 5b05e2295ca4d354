"""SIGHUP: other settings take over between two requests, or nothing changes."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sidecar.config import load
from sidecar.model import BearerToken
from sidecar.reloading import Reloader
from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.ports import free_port
from tests.support.processes import until
from tests.support.raw_client import ask, talk
from tests.support.recording_backend import Exchange, RecordingBackend

GET = b"GET /a HTTP/1.1\r\nHost: site\r\n\r\n"

Write = Callable[..., None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a settings file that is still empty."""
    path = tmp_path / "sidecar.toml"
    path.write_text("")
    return path


@pytest.fixture
async def sidecar(start_sidecar: StartSidecar, file: Path) -> Sidecar:
    """Start a sidecar that has a settings file."""
    return await start_sidecar(config=str(file))


@pytest.fixture
def reloader(sidecar: Sidecar, file: Path, key_server: KeyServer) -> Reloader:
    """Read the settings again from where the sidecar had them."""
    given = {
        "user_pool_id": mint.POOL_ID,
        "user_pool_client_id": mint.CLIENT_ID,
        "jwks_url": key_server.url,
        "config": str(file),
    }
    return Reloader(sidecar, partial(load, given, {}))


def write(file: Path, toml: str) -> None:
    """Change the settings file."""
    file.write_text(toml)


async def reload(reloader: Reloader) -> None:
    """Do what SIGHUP does, and wait until it is done."""
    reloader.trigger()
    await reloader.finished()


def with_token(token: BearerToken) -> bytes:
    """Write a request with a token."""
    return GET.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer " + token + b"\r\n\r\n")


async def test_valid_settings_take_over(sidecar: Sidecar, reloader: Reloader, file: Path) -> None:
    """The next request is held against the new rules."""
    assert (await ask(sidecar.address, GET)).status == 200
    write(file, 'mode = "require"')
    await reload(reloader)
    assert (await ask(sidecar.address, GET)).status == 401
    assert (sidecar.read().reloads, sidecar.read().failed_reloads) == (1, 0)


@pytest.mark.parametrize("toml", ['mode = "strict"', "not toml", 'moed = "require"'])
async def test_invalid_settings_change_nothing(
    sidecar: Sidecar,
    reloader: Reloader,
    file: Path,
    toml: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The old settings stay; log and metric say so."""
    write(file, toml)
    with caplog.at_level(logging.ERROR):
        await reload(reloader)
    assert (await ask(sidecar.address, GET)).status == 200
    assert sidecar.read().failed_reloads == 1
    assert "settings not changed" in caplog.text


async def test_token_is_judged_anew_by_the_new_settings(
    sidecar: Sidecar,
    reloader: Reloader,
    file: Path,
    token: BearerToken,
    backend: RecordingBackend,
) -> None:
    """What was remembered under the old header mapping is not used under the new one."""
    await ask(sidecar.address, with_token(token))
    assert backend.last.values("x-cognito-sub") == [mint.SUB]
    write(file, '[headers]\nX-Caller = "sub"\n')
    await reload(reloader)
    await ask(sidecar.address, with_token(token))
    assert backend.last.values("x-caller") == [mint.SUB]
    assert backend.last.values("x-cognito-sub") == []


async def test_request_under_way_ends_by_the_settings_it_began_with(
    sidecar: Sidecar, reloader: Reloader, file: Path, backend: RecordingBackend
) -> None:
    """A change cuts nobody off."""
    arrived, may_go = asyncio.Event(), asyncio.Event()

    async def reply(_: Exchange, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await may_go.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    backend.reply = reply
    asked = asyncio.ensure_future(talk(sidecar.address, [GET]))
    await arrived.wait()
    write(file, 'mode = "require"')
    await reload(reloader)
    may_go.set()
    assert [answer.status for answer in await asked] == [200]


async def test_pool_without_keys_is_a_mistake_that_changes_nothing(
    sidecar: Sidecar, reloader: Reloader, file: Path, key_server: KeyServer, token: BearerToken
) -> None:
    """A misspelt pool id must not take a running sidecar down."""
    del key_server
    typo = Reloader(
        sidecar,
        partial(
            load,
            {
                "user_pool_id": "eu-west-1_Typo",
                "user_pool_client_id": "c",
                "jwks_url": "http://127.0.0.1:9/",
                "mode": "require",
            },
            {},
        ),
    )
    del reloader, file
    await reload(typo)
    assert sidecar.read().failed_reloads == 1
    assert [keys.pool_id for keys in sidecar.read().keys] == [mint.POOL_ID]
    answer = await ask(sidecar.address, with_token(token))
    assert answer.fields["x-cognito-auth"] == "authenticated"


async def test_setting_that_needs_a_start_is_named_and_left(
    sidecar: Sidecar, reloader: Reloader, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An address does not change under a running server, and the log says so."""
    write(file, 'log_sample = 0.5\nmode = "require"')
    with caplog.at_level(logging.WARNING):
        await reload(reloader)
    assert "SIDECAR_LOG_SAMPLE changed: takes effect at the next start" in caplog.text
    assert sidecar.settings.log_sample == 1.0
    assert (await ask(sidecar.address, GET)).status == 401


async def test_signal_reaches_a_running_process(
    tmp_path: Path, key_server: KeyServer, backend: RecordingBackend
) -> None:
    """`kill -HUP` is all there is to it, and the process lives on."""
    file, log, port = tmp_path / "sidecar.toml", tmp_path / "log", free_port()
    write(file, "")
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_COGNITO_USER_POOL_ID": mint.POOL_ID,
        "AWS_COGNITO_USER_POOL_CLIENT_ID": mint.CLIENT_ID,
        "SIDECAR_JWKS_URL": key_server.url,
        "SIDECAR_UPSTREAM": backend.url,
        "SIDECAR_LISTEN": f"127.0.0.1:{port}",
        "SIDECAR_ADMIN_LISTEN": "127.0.0.1:0",
        "SIDECAR_CONFIG": str(file),
    }
    command = [sys.executable, "-m", "sidecar"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out)  # noqa: ASYNC220 - returns at once
        try:
            await asyncio.to_thread(until, lambda: "listening on" in log.read_text(), process)
            write(file, 'mode = "require"')
            process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(until, lambda: "settings changed" in log.read_text(), process)
            assert "SIDECAR_MODE=require" in log.read_text()
        finally:
            process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(process.wait, 20) == 0
