"""A browser app of a configured origin can read why it was refused, and no other can."""

import pytest

from sidecar.model import BearerToken
from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.support.key_server import KeyServer
from tests.support.raw_client import Answer, ask, converse
from tests.support.recording_backend import RecordingBackend

APP = "https://app.example"
OTHER = "https://other.example"
EXPOSED = {"WWW-Authenticate", "X-Cognito-Auth", "X-Request-Id"}


def request(*fields: str, target: str = "/", origin: str | None = APP) -> bytes:
    """Write a GET with these field lines."""
    origins = [] if origin is None else [f"Origin: {origin}"]
    lines = [f"GET {target} HTTP/1.1", "Host: site", *origins, *fields, "", ""]
    return "\r\n".join(lines).encode()


def assert_readable(answer: Answer, origin: str = APP) -> None:
    """The browser of `origin` may read the answer with all that explains it."""
    assert answer.fields["access-control-allow-origin"] == origin
    assert answer.fields["access-control-allow-credentials"] == "true"
    assert answer.fields["vary"] == "Origin"
    assert set(answer.fields["access-control-expose-headers"].split(", ")) == EXPOSED


def assert_unreadable(answer: Answer) -> None:
    """No browser may read the answer across origins."""
    assert not [name for name in answer.fields if name.startswith("access-control-")]


@pytest.fixture
async def strict(start_sidecar: StartSidecar) -> Sidecar:
    """Start a sidecar that requires tokens and knows two origins."""
    return await start_sidecar(mode="require", cors_origins=f"{APP},https://second.example")


@pytest.mark.parametrize("origin", [APP, "https://second.example"])
async def test_missing_token_is_readable_by_a_configured_origin(
    strict: Sidecar, origin: str
) -> None:
    """An Amplify app learns that it must sign in, instead of "Network Error"."""
    answer = await ask(strict.address, request(origin=origin))
    assert answer.status == 401
    assert_readable(answer, origin)


@pytest.mark.parametrize("origin", [OTHER, "null", f"{APP}.evil.example", "HTTPS://app.example"])
async def test_refusal_is_unreadable_by_any_other_origin(strict: Sidecar, origin: str) -> None:
    """Only an exact origin of the settings is named."""
    assert_unreadable(await ask(strict.address, request(origin=origin)))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("Authorization: Bearer a.b.c"), 401),
        (request("Authorization: Bearer a", "Authorization: Bearer b"), 400),
        (request(target="/" + "a" * 9000), 414),
        (request("Expect: something"), 417),
        (request("Transfer-Encoding: gzip"), 400),
        (request("X-Long: " + "a" * 17_000), 431),
        (request("X Bad: name"), 400),
        (request("Content-Length: 1", "Content-Length: 1"), 400),
    ],
)
async def test_refusal_of_any_status_is_readable(strict: Sidecar, sent: bytes, status: int) -> None:
    """What the parser refuses is as readable as what we refuse."""
    answer = await ask(strict.address, sent)
    assert answer.status == status
    assert_readable(answer)


async def test_parse_error_is_unreadable_by_a_foreign_origin(strict: Sidecar) -> None:
    """The origin found in an unparsable request must be a configured one too."""
    answer = await ask(strict.address, request("X Bad: name", origin=OTHER))
    assert answer.status == 400
    assert_unreadable(answer)


async def test_broken_backend_is_readable(start_sidecar: StartSidecar) -> None:
    """502 comes from the sidecar, whose CORS fields then stand for the backend's."""
    sidecar = await start_sidecar(upstream="http://127.0.0.1:9", cors_origins=APP)
    answer = await ask(sidecar.address, request())
    assert answer.status == 502
    assert_readable(answer)


async def test_unavailable_keys_are_readable(
    start_sidecar: StartSidecar, key_server: KeyServer, token: BearerToken
) -> None:
    """503 tells a browser app to come back, and when."""
    key_server.status = 500
    sidecar = await start_sidecar(is_ready=False, cors_origins=APP)
    answer = await ask(sidecar.address, request(f"Authorization: Bearer {token.decode()}"))
    assert answer.status == 503
    assert_readable(answer)


async def test_answer_of_the_backend_keeps_its_own_cors_fields(
    start_sidecar: StartSidecar, backend: RecordingBackend
) -> None:
    """The backend decides who may read its answers; only our field is made readable."""
    backend.reply = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\n"
        b"Access-Control-Expose-Headers: X-Page\r\n\r\n"
    )
    sidecar = await start_sidecar(cors_origins=APP)
    raw = await _raw(sidecar, request("Connection: close"))
    assert raw.count(b"Access-Control-Allow-Origin: *\r\n") == 1
    assert b"Access-Control-Expose-Headers: X-Page\r\n" in raw
    assert b"Access-Control-Expose-Headers: X-Cognito-Auth\r\n" in raw
    raw = await _raw(sidecar, request("Connection: close", origin=OTHER))
    assert raw.count(b"Access-Control-Expose-Headers") == 1


async def test_answer_of_the_backend_without_cors_gets_no_permission(
    start_sidecar: StartSidecar,
) -> None:
    """The sidecar never opens a backend's answer to an origin."""
    sidecar = await start_sidecar(cors_origins=APP)
    answer = await ask(sidecar.address, request())
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.fields


async def _raw(sidecar: Sidecar, sent: bytes) -> bytes:
    return (await converse(sidecar.address, [sent])).received


async def test_connection_that_sends_no_request_names_the_only_origin(
    start_sidecar: StartSidecar,
) -> None:
    """A browser that waits in vain reads why: with one configured origin it can be no other."""
    sidecar = await start_sidecar(cors_origins=APP)
    answer = await ask(sidecar.address, b"GET / HTTP/1.1 nonsense\r\n\r\n")
    assert answer.status == 400
    assert_readable(answer)
