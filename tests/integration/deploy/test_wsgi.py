"""The middleware: a WSGI application finds what a backend behind the sidecar would be sent."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client, EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from sidecar.config import load
from sidecar.errors import SettingsInvalid
from sidecar.wsgi import CognitoIdentity
from tests.support import mint
from tests.support.key_thread import KeyThread, serving_keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

EMPTY = Request(EnvironBuilder().get_environ())
PROVEN = {"HTTP_X_COGNITO_SUB": mint.SUB, "HTTP_X_COGNITO_USERNAME": mint.USERNAME}
ADMINS = '[[routes]]\npath = "/admin/*"\nmode = "require"\ngroups = ["admin"]\n'


class App:
    """A WSGI application that keeps the environ it was given. A class because it remembers."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        self.seen.append(dict(environ))
        fields = [("X-Cognito-Auth", "mine"), ("X-Request-ID", "mine"), ("X-App", "yes")]
        start_response("200 OK", fields)
        return [json.dumps(identity_in(environ)).encode()]

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything in the last environ that speaks of identity."""
        return identity_in(self.seen[-1])


def identity_in(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {key: value for key, value in environ.items() if "COGNITO" in key}


class Protected(Client):
    """A client of the protected application."""

    application: CognitoIdentity


Protect = Callable[..., Protected]


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyThread]:
    """The pool's keys, served in a thread."""
    with serving_keys() as keys:
        yield keys


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def protect(app: App, keys: KeyThread, tmp_path: Any) -> Iterator[Protect]:
    """Put the middleware around the application, with settings by name and text of a file."""
    with ExitStack() as running:

        def make(file: str = "", **settings: str) -> Protected:
            config = tmp_path / "sidecar.toml"
            config.write_text(file)
            given = {
                "user_pool_id": mint.POOL_ID,
                "user_pool_client_id": mint.CLIENT_ID,
                "jwks_url": keys.url,
                "config": str(config),
                **settings,
            }
            middleware = CognitoIdentity(app, load(given, {}))
            running.callback(middleware.close)
            return Protected(middleware, use_cookies=False)

        yield make


@pytest.fixture
def bearer() -> dict[str, str]:
    """The field that proves `mint.SUB`."""
    return make_bearer()


def make_bearer(**changes: Any) -> dict[str, str]:
    token = mint.mint(now=time.time(), **changes)  # noqa: TID251 - the middleware's own clock
    return {"Authorization": f"Bearer {token.decode()}"}


def judged(answer: TestResponse) -> tuple[int, str | None]:
    return answer.status_code, answer.headers.get("X-Cognito-Auth")


def test_good_token_puts_identity_into_the_environ(
    app: App, protect: Protect, bearer: dict[str, str]
) -> None:
    """The application finds the sidecar's fields, and the token as it came."""
    answer = protect().get("/", headers=bearer)
    assert judged(answer) == (200, "authenticated")
    assert app.identity == PROVEN
    assert app.seen[-1]["HTTP_AUTHORIZATION"] == bearer["Authorization"]
    assert answer.headers["X-Request-Id"] == app.seen[-1]["HTTP_X_REQUEST_ID"]


def test_answer_of_the_application_does_not_speak_for_the_middleware(protect: Protect) -> None:
    """Its own two fields are replaced, all others stay."""
    fields = protect().get("/").headers
    assert fields.getlist("X-Cognito-Auth") == ["anonymous"]
    assert len(fields.getlist("X-Request-Id")) == 1
    assert fields["X-Request-Id"] != "mine"
    assert fields["X-App"] == "yes"


SPOOFS = [
    "HTTP_X_COGNITO_SUB",
    "HTTP_X_COGNITO_USERNAME",
    "HTTP_X_COGNITO_GROUPS",
    "HTTP_X_COGNITO_AUTH",
    "HTTP_X_TENANT",
]


@pytest.mark.parametrize("key", SPOOFS)
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_spoofed_field_never_reaches_the_application(
    app: App, protect: Protect, bearer: dict[str, str], key: str, *, is_signed_in: bool
) -> None:
    """The server has folded every spelling to this one; the names of the mapping are gone too."""
    mapping = '[headers]\nX-Cognito-Sub = "sub"\nX-Tenant = "custom:tenant"\n'
    environ = EnvironBuilder("/", headers=list(bearer.items())[: int(is_signed_in)]).get_environ()
    environ[key] = "somebody-else"
    protect(mapping).open(environ)
    expected = {"HTTP_X_COGNITO_SUB": mint.SUB} if is_signed_in else {}
    assert app.identity == expected
    assert "HTTP_X_TENANT" not in app.seen[-1]


def test_other_fields_stay_as_they_are(app: App, protect: Protect) -> None:
    """Nothing but identity is taken away: cookies, forwarding and other schemes are the app's."""
    fields = {"Cookie": "a=b", "X-Forwarded-For": "192.0.2.1", "Authorization": "Basic eDp5"}
    protect().get("/", headers=fields)
    seen = app.seen[-1]
    assert seen["HTTP_COOKIE"] == "a=b"
    assert seen["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert seen["HTTP_AUTHORIZATION"] == "Basic eDp5"


@pytest.mark.parametrize(
    ("mode", "without", "expired"),
    [("strip", 200, 200), ("optional", 200, 401), ("require", 401, 401)],
)
def test_modes_are_those_of_the_sidecar(
    app: App, protect: Protect, mode: str, without: int, expired: int
) -> None:
    """No token, a bad one, a good one: the table in README holds here too."""
    client = protect(mode=mode)
    assert judged(client.get("/", headers=make_bearer())) == (200, "authenticated")
    reason = "" if without == 200 else "; reason=token_missing"
    assert judged(client.get("/")) == (without, f"anonymous{reason}")
    answer = client.get("/", headers=make_bearer(exp=1))
    assert judged(answer) == (expired, "anonymous; reason=token_expired")
    assert len(app.seen) == [200, without, expired].count(200)


def test_bad_token_is_taken_away_when_it_is_stripped(app: App, protect: Protect) -> None:
    """The application never sees a token that proved nothing."""
    protect().get("/", headers=make_bearer(exp=1))
    assert "HTTP_AUTHORIZATION" not in app.seen[-1]


def test_good_token_is_taken_away_if_it_shall_not_be_forwarded(
    app: App, protect: Protect, bearer: dict[str, str]
) -> None:
    """`forward_token = false` means the same as in the sidecar."""
    protect("forward_token = false").get("/", headers=bearer)
    assert "HTTP_AUTHORIZATION" not in app.seen[-1]
    assert app.identity == PROVEN


def test_refusal_is_worded_as_the_sidecar_words_it(protect: Protect) -> None:
    """JSON with the reason, a challenge, never cached."""
    answer = protect(mode="require").get("/", headers=make_bearer(client_id="another"))
    assert answer.get_json()["reason"] == "client_mismatch"
    assert answer.get_json()["request_id"] == answer.headers["X-Request-Id"]
    assert 'error_description="client_mismatch"' in answer.headers["WWW-Authenticate"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_refusal_of_head_has_no_body(protect: Protect) -> None:
    """It has the length of the one that GET would get."""
    answer = protect(mode="require").head("/")
    assert (answer.status_code, answer.data) == (401, b"")
    assert int(answer.headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", ["/admin/users", "/%61dmin/users", "/admin%2Fusers", "/admin"])
def test_rule_is_for_the_path_that_the_application_sees(
    app: App, protect: Protect, bearer: dict[str, str], path: str
) -> None:
    """WSGI decodes the path before anyone can look; the rules look at what comes out."""
    answer = protect(ADMINS).get(path, headers=bearer)
    assert (answer.status_code, answer.get_json()["reason"]) == (403, "group_missing")
    assert app.seen == []


@pytest.mark.parametrize("path", ["//admin", "/x/../admin", "/admin;x", "/\0admin", "/admin."])
def test_path_that_may_be_read_in_two_ways_is_refused(
    app: App, protect: Protect, path: str
) -> None:
    """As long as there are rules about paths."""
    environ = EnvironBuilder("/").get_environ()
    environ["PATH_INFO"] = path
    answer = TestResponse(*run_wsgi_app(protect(ADMINS).application, environ), EMPTY)
    assert (answer.status_code, answer.get_json()["reason"]) == (400, "target_ambiguous")
    assert app.seen == []


def test_rule_counts_the_mount_point_in(app: App, protect: Protect) -> None:
    """SCRIPT_NAME is a part of the path that the browser asked for."""
    environ = EnvironBuilder("/users").get_environ()
    environ["SCRIPT_NAME"] = "/admin"
    assert protect(ADMINS).open(environ).status_code == 401
    assert app.seen == []


def test_preflight_passes_anonymous(app: App, protect: Protect, bearer: dict[str, str]) -> None:
    """The application answers it, whatever the mode, and is told nobody."""
    fields = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET", **bearer}
    assert protect(mode="require").options("/", headers=fields).status_code == 200
    assert app.identity == {}


def test_two_tokens_that_the_server_has_joined_prove_nobody(app: App, protect: Protect) -> None:
    """Never "the first one wins"."""
    one, two = make_bearer()["Authorization"], make_bearer()["Authorization"]
    answer = protect().get("/", headers={"Authorization": f"{one},{two}"})
    assert judged(answer) == (200, "anonymous; reason=token_malformed")
    assert app.identity == {}


def test_request_waits_for_the_first_keys_and_gets_503_without_them(
    app: App, protect: Protect, keys: KeyThread, bearer: dict[str, str]
) -> None:
    """No anonymous stand-in for a token that nobody could check; without a token all is well."""
    keys.status = 500
    client = protect()
    try:
        answer = client.get("/", headers=bearer)
    finally:
        keys.status = 200
    assert (answer.status_code, answer.get_json()["reason"]) == (503, "keys_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert app.seen == []


def test_threads_do_not_mix_their_callers_up(protect: Protect) -> None:
    """Eight threads, twenty callers, one cache: each is told who it is."""
    client = protect()
    fields = {f"sub-{number}": make_bearer(sub=f"sub-{number}") for number in range(20)}

    def ask(sub: str) -> tuple[str, str]:
        told = json.loads(client.get("/", headers=fields[sub]).data)
        return sub, told["HTTP_X_COGNITO_SUB"]

    with ThreadPoolExecutor(8) as threads:
        for sub, told in threads.map(ask, list(fields) * 10):
            assert told == sub


def test_fork_before_the_first_request_finds_no_thread_that_holds_a_lock(protect: Protect) -> None:
    """Loading the application starts nothing: a thread caught importing hung forked workers."""
    before = set(threading.enumerate())
    client = protect()
    assert set(threading.enumerate()) == before
    client.get("/")
    assert [t.name for t in set(threading.enumerate()) - before] == ["cognito-identity"]


def test_closed_middleware_starts_anew(app: App, protect: Protect, bearer: dict[str, str]) -> None:
    """Closing ends the thread, not the protection."""
    client = protect()
    client.get("/", headers=bearer)
    client.application.close()
    assert judged(client.get("/", headers=bearer)) == (200, "authenticated")
    assert app.identity == PROVEN


def test_bad_settings_are_all_named_at_once(app: App) -> None:
    """An application with half a protection does not start."""
    with pytest.raises(SettingsInvalid) as refusal:
        CognitoIdentity(app, load({"mode": "maybe"}, {}))
    named = " ".join(refusal.value.problems)
    assert "AWS_COGNITO_USER_POOL_ID" in named
    assert "SIDECAR_MODE" in named


@pytest.mark.parametrize("method", ["get", "Post", "PROPFIND"])
def test_method_in_another_spelling_is_no_way_round_a_rule(
    protect: Protect, app: App, method: str
) -> None:
    """Some servers read `get` as GET; the rules for GET must not miss it."""
    rules = '[[routes]]\npath = "/admin/*"\nmethods = ["GET", "POST"]\nmode = "require"\n'
    environ = EnvironBuilder("/admin/x").get_environ()
    environ["REQUEST_METHOD"] = method
    _, status, _ = run_wsgi_app(protect(rules).application, environ)
    assert status.startswith("501 ")
    assert app.seen == []
