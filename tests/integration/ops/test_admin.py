"""The admin port: what it tells, to whom, and what it never tells."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from sidecar.model import BearerToken
from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.support import mint
from tests.support.key_server import KeyServer
from tests.support.raw_client import ask


class Client:
    """Asks the admin port of one sidecar."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(self, path: str, **fields: str) -> tuple[int, Mapping[str, str], str]:
        """Return status, fields and body."""
        async with self._session.get(self._base + path, headers=_names(fields)) as answer:
            return answer.status, answer.headers, await answer.text()

    async def explain(self, question: Mapping[str, Any], **fields: str) -> tuple[int, Any]:
        """Ask about a token."""
        headers = {"Content-Type": "application/json", **_names(fields)}
        body = json.dumps(question)
        async with self._session.post(
            f"{self._base}/explain", data=body, headers=headers
        ) as answer:
            return answer.status, await answer.json()


def _names(fields: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in fields.items()}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def admin(sidecar: Sidecar, session: aiohttp.ClientSession) -> Client:
    """Return a client of the default sidecar's admin port."""
    return Client(session, f"http://{sidecar.admin_address}")


async def settled(sidecar: Sidecar) -> None:
    """Wait until every request is over for the observers too."""
    while sidecar.read().in_flight:  # noqa: ASYNC110 - a turn of the loop is all it takes
        await asyncio.sleep(0)


def get(token: bytes, target: str = "/a?q=secret-in-query") -> bytes:
    """Write a request with a token and a cookie."""
    lines = [f"GET {target} HTTP/1.1", "Host: x", "Cookie: session=secret-in-cookie"]
    return "\r\n".join(lines).encode() + b"\r\nAuthorization: Bearer " + token + b"\r\n\r\n"


async def test_live_but_not_ready_without_keys(
    start_sidecar: StartSidecar, session: aiohttp.ClientSession, key_server: KeyServer
) -> None:
    """An orchestrator must not restart what only waits, and must not send it traffic."""
    key_server.status = 500
    sidecar = await start_sidecar(is_ready=False)
    admin = Client(session, f"http://{sidecar.admin_address}")
    assert (await admin.get("/livez"))[0] == 200
    status, _, body = await admin.get("/readyz")
    assert (status, json.loads(body)["missing"]) == (503, [f"keys of pool {mint.POOL_ID}"])


async def test_metrics_count_what_was_just_asked(
    admin: Client, sidecar: Sidecar, token: BearerToken
) -> None:
    """A request shows in the next scrape, with its decision."""
    await ask(sidecar.address, get(token))
    await settled(sidecar)
    _, fields, text = await admin.get("/metrics")
    assert fields["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'sidecar_requests_total{code="200",method="GET",route="default"} 1.0' in text
    assert 'result="authenticated"' in text
    assert f'sidecar_jwks_keys{{pool="{mint.POOL_ID}"}} 1.0' in text


async def test_status_tells_of_the_last_refusals(admin: Client, sidecar: Sidecar) -> None:
    """Reason, route and time of a token that did not count."""
    await ask(sidecar.address, get(mint.mint(exp=1)))
    await settled(sidecar)
    status = json.loads((await admin.get("/status.json"))[2])
    (refused,) = status["refusals"]
    assert (refused["reason"], refused["route"], refused["kid"]) == (
        "token_expired",
        "default",
        mint.KID,
    )
    assert refused["path"] == "/a"
    assert [route["label"] for route in status["routes"]] == ["default"]
    assert ["AWS_COGNITO_USER_POOL_ID", mint.POOL_ID, True] in status["settings"]


async def test_nothing_of_a_token_a_cookie_or_a_query_is_ever_told(
    capsys: pytest.CaptureFixture[str],
    start_sidecar: StartSidecar,
    session: aiohttp.ClientSession,
    token: BearerToken,
) -> None:
    """Metrics, status and log hold no piece of what a client keeps secret."""
    sidecar = await start_sidecar()
    admin = Client(session, f"http://{sidecar.admin_address}")
    expired = mint.mint(exp=1)
    for sent in (token, expired, token[:-40], b"garbage-secret"):
        await ask(sidecar.address, get(sent))
    await settled(sidecar)
    told = [(await admin.get(path))[2] for path in ("/metrics", "/status.json")]
    await sidecar.__aexit__()
    told.append(capsys.readouterr().out)
    assert told[2].count("\n") >= 4, "the log was not captured"
    for text in told:
        for secret in ("secret", mint.SUB, mint.USERNAME, "eyJ"):
            assert secret not in text
        for part in (*token.split(b"."), *expired.split(b".")):
            assert part[-20:].decode() not in text


@pytest.mark.parametrize("path", ["/", "/status.json"])
async def test_page_is_closed_to_rebound_names_and_other_sites(admin: Client, path: str) -> None:
    """A page anywhere that makes a browser ask learns nothing."""
    assert (await admin.get(path))[0] == 200
    assert (await admin.get(path, Host="evil.example"))[0] == 403
    assert (await admin.get(path, Origin="https://evil.example"))[0] == 403
    assert (await admin.get(path, Sec_Fetch_Site="cross-site"))[0] == 403


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_and_scrapes_may_use_any_name(admin: Client, path: str) -> None:
    """Prometheus finds its target by a service's name."""
    assert (await admin.get(path, Host="sidecar.prod.svc.cluster.local:8081"))[0] == 200


async def test_page_runs_its_own_script_alone(admin: Client) -> None:
    """Nothing is loaded from elsewhere, and nothing injected would run."""
    _, fields, body = await admin.get("/")
    policy = fields["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert " src=" not in body
    assert (fields["Cache-Control"], fields["X-Frame-Options"]) == ("no-store", "DENY")
    assert "Server" not in fields


async def test_token_is_explained_with_the_keys_in_use(admin: Client, token: BearerToken) -> None:
    """The box of the page answers what the command answers."""
    status, found = await admin.explain({"token": f"Bearer {token.decode()}", "path": "/a"})
    assert (status, found["token"]["accepted"]) == (200, True)
    assert found["token"]["headers"]["X-Cognito-Sub"] == mint.SUB
    assert found["request"]["answer"] == "forwarded with identity"
    assert token.rpartition(b".")[2][:16].decode() not in json.dumps(found)


async def test_explaining_leaves_no_trace(
    admin: Client, sidecar: Sidecar, token: BearerToken
) -> None:
    """A token that somebody looks at is not remembered, counted or logged."""
    await admin.explain({"token": token.decode()})
    assert (sidecar.read().cache_entries, sidecar.read().cache_misses) == (0, 0)


@pytest.mark.parametrize(
    ("question", "fields", "status"),
    [
        ({"token": "a"}, {"Host": "10.0.0.1:8081"}, 403),
        ({"token": "a"}, {"Host": "evil.example"}, 403),
        ({"token": "a"}, {"Origin": "https://evil.example"}, 403),
        ({"token": "a"}, {"Content_Type": "text/plain"}, 415),
        (["token"], {}, 400),
        ({"token": 7}, {}, 400),
        ({"token": "a" * 100_000}, {}, 413),
    ],
)
async def test_question_from_elsewhere_or_without_sense_is_refused(
    admin: Client, question: Any, fields: dict[str, str], status: int
) -> None:
    """Tokens are explained on this machine only, to its own page or a command line."""
    assert (await _status_of(admin, question, fields)) == status


async def _status_of(admin: Client, question: Any, fields: dict[str, str]) -> int:
    try:
        return (await admin.explain(question, **fields))[0]
    except aiohttp.ContentTypeError as error:
        return error.status
