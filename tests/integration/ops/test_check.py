"""`check` against real servers: what is well, what is not, and what to do about it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from aiohttp import web

from sidecar.config import load
from sidecar.diagnosis.check import check
from sidecar.diagnosis.report import Finding, Level, findings_json, findings_text
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.recording_backend import Exchange, RecordingBackend

Check = Callable[..., Awaitable[dict[str, Finding]]]


@pytest.fixture
def look(key_server: KeyServer, backend: RecordingBackend) -> Check:
    """Check settings by name; returns the findings by subject."""

    async def look(**settings: str) -> dict[str, Finding]:
        given = {
            "user_pool_id": mint.POOL_ID,
            "user_pool_client_id": mint.CLIENT_ID,
            "jwks_url": key_server.url,
            "upstream": backend.url,
            **settings,
        }
        findings = await check(load(given, {}), time.time)  # noqa: TID251 - as the command does
        return {finding.subject: finding for finding in findings}

    return look


async def test_sound_settings_are_ok_throughout(look: Check) -> None:
    """Everything answers, agrees and fits."""
    found = await look()
    assert {finding.level for finding in found.values()} == {Level.OK}, found
    assert mint.KID in found[f"keys of {mint.POOL_ID}"].found


@pytest.mark.parametrize(("workers", "level"), [("64", Level.WARN), ("auto", Level.OK)])
async def test_workers_are_held_against_the_cores(look: Check, workers: str, level: Level) -> None:
    """Whoever asks for more than there are to use may not know it."""
    assert (await look(workers=workers))["workers"].level is level


async def test_unreachable_keys_fail_with_the_address_to_look_at(look: Check) -> None:
    """The remedy names the URL that did not answer."""
    found = await look(jwks_url="http://127.0.0.1:9/jwks.json")
    keys = found[f"keys of {mint.POOL_ID}"]
    assert keys.level is Level.FAIL
    assert "http://127.0.0.1:9/jwks.json" in keys.remedy


@pytest.mark.parametrize("document", [b"<html>", b'{"keys": []}', b"x" * 300_000])
async def test_unusable_keys_fail(look: Check, key_server: KeyServer, document: bytes) -> None:
    """A page that is no key set is not one."""
    key_server.document = document
    assert (await look())[f"keys of {mint.POOL_ID}"].level is Level.FAIL


@pytest.mark.parametrize(
    ("ahead_s", "level"), [(0, Level.OK), (6, Level.WARN), (-60, Level.FAIL), (3600, Level.FAIL)]
)
async def test_clock_is_held_against_the_key_servers(
    look: Check, key_server: KeyServer, ahead_s: float, level: Level
) -> None:
    """A clock that runs wrong refuses good tokens or takes expired ones."""

    async def answer(_: web.Request) -> web.Response:
        server_time = time.time() + ahead_s  # noqa: TID251 - the other clock
        fields = {"Date": formatdate(server_time, usegmt=True)}
        return web.Response(body=mint.jwks(), headers=fields)

    key_server.answer = answer
    assert (await look())["clock"].level is level


async def test_backend_that_is_not_there_fails(look: Check) -> None:
    """The finding names the address."""
    backend = (await look(upstream="http://127.0.0.1:9"))["backend"]
    assert (backend.level, "127.0.0.1:9" in backend.found) == (Level.FAIL, True)


async def test_backend_that_speaks_no_http_fails(look: Check, backend: RecordingBackend) -> None:
    """A database port behind SIDECAR_UPSTREAM is found before the first request."""
    backend.reply = b"\x00\x01 not http"
    assert (await look())["backend"].level is Level.FAIL


async def test_backend_on_a_network_address_is_warned_of(look: Check) -> None:
    """Whoever reaches the backend directly can claim to be anybody."""
    server = await asyncio.start_server(_answer_ok, "0.0.0.0", 0)  # noqa: S104 - what is warned of
    port = server.sockets[0].getsockname()[1]
    async with server:
        found = await look(upstream=f"http://0.0.0.0:{port}")
    assert found["backend is private"].level is Level.WARN
    assert "127.0.0.1" in found["backend is private"].remedy


async def test_backend_with_smaller_limits_is_warned_of(
    look: Check, backend: RecordingBackend
) -> None:
    """Such as gunicorn, which refuses long request lines by default."""

    async def reply(
        exchange: Exchange, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        status = b"400 Bad Request" if len(exchange.target) > 4094 else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    backend.reply = reply
    limits = (await look())["limits"]
    assert limits.level is Level.WARN
    assert "--limit-request-line" in limits.remedy


async def test_openness_is_warned_of(look: Check) -> None:
    """Every client, and an admin port on every address: allowed, and said aloud."""
    found = await look(user_pool_client_id="*", admin_listen="0.0.0.0:8081")
    assert found["clients"].level is Level.WARN
    assert found["admin port"].level is Level.WARN


async def test_rule_that_never_matches_is_warned_of(look: Check, tmp_path: Path) -> None:
    """The narrower rule behind the wider one is a mistake nobody sees at run time."""
    file = tmp_path / "sidecar.toml"
    file.write_text(
        '[[routes]]\npath = "/api/*"\nmode = "optional"\n'
        '[[routes]]\npath = "/api/admin"\nmode = "require"\nmethods = ["GET"]\n'
    )
    found = await look(config=str(file))
    assert "GET /api/admin never matches" in found["rule GET /api/admin"].found


def test_findings_are_the_same_as_text_and_as_json() -> None:
    """A person and a program see the same levels."""
    findings = [Finding(Level.OK, "a", "fine"), Finding(Level.FAIL, "bb", "bad", "do this")]
    assert findings_text(findings) == "ok    a   fine\nfail  bb  bad\n          -> do this\n"
    assert [f["level"] for f in json.loads(findings_json(findings))["checks"]] == ["ok", "fail"]


async def _answer_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()
