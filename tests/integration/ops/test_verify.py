"""`/verify`: what other proxies are told, and whose word about a request is taken."""

import pytest

from sidecar.model import Address, BearerToken
from sidecar.server import Sidecar
from tests.conftest import StartSidecar
from tests.support import mint
from tests.support.raw_client import Answer, ask
from tests.support.recording_backend import RecordingBackend

RULES = """
[[routes]]
path = "/public/*"
mode = "strip"
[[routes]]
path = "/admin/*"
mode = "require"
groups = ["admin"]
"""

TRAEFIK = ("X-Forwarded-Method: GET", "X-Forwarded-Uri: /private?q=1")
NGINX = ("X-Original-Method: GET", "X-Original-URI: /private?q=1")


@pytest.fixture
async def verifier(
    start_sidecar: StartSidecar, tmp_path_factory: pytest.TempPathFactory
) -> Sidecar:
    """Start a sidecar that answers other proxies and requires tokens but for /public."""
    file = tmp_path_factory.mktemp("settings") / "sidecar.toml"
    file.write_text(RULES)
    return await start_sidecar(mode="require", verify_listen="127.0.0.1:0", config=str(file))


async def put(
    verifier: Sidecar, *fields: str, target: str = "/verify", method: str = "GET"
) -> Answer:
    """Ask as a proxy does."""
    address = verifier.verify_address
    assert isinstance(address, Address)
    lines = [f"{method} {target} HTTP/1.1", "Host: x", *fields, "", ""]
    return await ask(address, "\r\n".join(lines).encode())


def bearer(token: bytes) -> str:
    """Write the field of a token."""
    return f"Authorization: Bearer {token.decode()}"


@pytest.mark.parametrize("way", [TRAEFIK, NGINX])
async def test_good_token_is_answered_with_its_identity(
    verifier: Sidecar, token: BearerToken, way: tuple[str, str], backend: RecordingBackend
) -> None:
    """The proxy gets what the backend would have got, and the backend nothing yet."""
    answer = await put(verifier, *way, bearer(token))
    assert answer.status == 200
    assert answer.fields["x-cognito-sub"] == mint.SUB
    assert answer.fields["x-cognito-username"] == mint.USERNAME
    assert answer.fields["x-cognito-auth"] == "authenticated"
    assert backend.requests == []


async def test_envoy_names_the_request_by_its_own(verifier: Sidecar, token: BearerToken) -> None:
    """The original path follows the prefix, and the method is the original one."""
    refused = await put(verifier, target="/verify/admin/users", method="DELETE")
    assert refused.status == 401
    forbidden = await put(verifier, bearer(token), target="/verify/admin/users", method="POST")
    assert (forbidden.status, b"group_missing" in forbidden.body) == (403, True)
    public = await put(verifier, target="/verify/public/x?y=1")
    assert (public.status, public.fields["x-cognito-auth"]) == (200, "anonymous")


async def test_envoy_is_told_what_to_remove(verifier: Sidecar, token: BearerToken) -> None:
    """Envoy only adds: what an anonymous client claims would get through."""
    fields = ("X-Cognito-Sub: spoofed", bearer(mint.mint(exp=1)))
    anonymous = await put(verifier, *fields, target="/verify/public/x")
    removed = anonymous.fields["x-envoy-auth-headers-to-remove"].split(",")
    assert removed == ["x-cognito-sub", "x-cognito-username", "authorization"]
    assert "x-cognito-sub" not in anonymous.fields
    proven = await put(verifier, bearer(token), target="/verify/private")
    assert proven.fields["x-envoy-auth-headers-to-remove"] == ""


@pytest.mark.parametrize(
    ("fields", "target", "status"),
    [
        ((), "/verify", 400),
        (("X-Forwarded-Uri: /public/x",), "/verify", 400),
        (("X-Forwarded-Method: GET",), "/verify", 400),
        ((*TRAEFIK, "X-Original-Method: GET", "X-Original-URI: /public/x"), "/verify", 400),
        ((*NGINX, "X-Forwarded-Uri: /public/x"), "/verify", 400),
        ((*TRAEFIK, "X-Forwarded-Uri: /public/x"), "/verify", 400),
        ((*NGINX, "X-Original-URI: /public/x"), "/verify", 400),
        (("X-Forwarded-Method: get", "X-Forwarded-Uri: /public/x"), "/verify", 405),
        (("X-Forwarded-Method: GET", "X-Forwarded-Uri: http://x/public/x"), "/verify", 400),
        (("X-Forwarded-Method: GET", "X-Forwarded-Uri: /public/../admin"), "/verify", 400),
        (("X-Forwarded-Method: GET", "X-Forwarded-Uri: /public/x"), "/verify?x", 400),
        ((), "/verify//admin", 400),
        ((), "/verifyx/public/x", 400),
        ((), "/public/x", 400),
    ],
)
async def test_request_that_could_be_two_is_refused(
    verifier: Sidecar, fields: tuple[str, ...], target: str, status: int
) -> None:
    """A client cannot choose which of its words are believed."""
    assert (await put(verifier, *fields, target=target)).status == status


async def test_public_port_believes_no_word_about_another_request(verifier: Sidecar) -> None:
    """There the fields are a client's like any other."""
    lines = ["GET /admin/x HTTP/1.1", "Host: x", "X-Original-Method: GET"]
    lines += ["X-Original-URI: /public/x", "X-Forwarded-Uri: /public/x", "", ""]
    answer = await ask(verifier.address, "\r\n".join(lines).encode())
    assert answer.status == 401


async def test_there_is_no_such_port_unless_it_is_asked_for(sidecar: Sidecar) -> None:
    """Off by default."""
    assert sidecar.verify_address is None


@pytest.mark.parametrize(
    "connection", ["X-Forwarded-Uri, X-Forwarded-Method", "X-Original-Uri, X-Original-Method"]
)
async def test_connection_field_does_not_choose_which_request_is_judged(
    verifier: Sidecar, connection: str
) -> None:
    """A client's `Connection` that a proxy passes on takes none of the proxy's fields away."""
    public = ("X-Original-Method: GET", "X-Original-URI: /public/x")
    asked = ("X-Forwarded-Method: GET", "X-Forwarded-Uri: /admin/x")
    answer = await put(verifier, *asked, *public, f"Connection: {connection}")
    assert answer.status == 400
    assert (await put(verifier, *asked, f"Connection: {connection}")).status == 401
