"""The rows of "Token": each hostile token is refused for its reason, alone and behind a socket."""

import re
import time
from collections import Counter

import pytest

from sidecar.errors import TokenError
from sidecar.identity.credentials import bearer_token
from tests.conftest import StartSidecar
from tests.support import mint
from tests.support.cost import costs_less
from tests.support.hostile_tokens import ATTACKER, HostileToken, hostile_tokens
from tests.support.house import House
from tests.support.key_server import KeyServer
from tests.support.pools import HeldKeys, authenticator, pool
from tests.support.raw_client import Answer, ask
from tests.support.raw_key_server import RawKeyServer
from tests.support.recording_backend import RecordingBackend

NOW = mint.NOW
MODES = ("strip", "optional", "require")
TOKENS = {hostile.name: hostile for hostile in hostile_tokens(NOW)}


def judge(token: bytes, now: float = NOW) -> str:
    """Judge a token the way a request's is, by an authenticator that has seen nothing yet."""
    auth = authenticator()
    try:
        found = bearer_token([b"Bearer " + token])
        assert found is not None
        auth.authenticate(found, now)
    except TokenError as error:
        return error.reason
    return ""


def test_table_is_complete_and_its_tokens_differ_from_a_good_one() -> None:
    """The names are unique, and the unbroken token is good: each row breaks something."""
    names = Counter(hostile.name for hostile in hostile_tokens(NOW))
    assert names.most_common(1)[0][1] == 1
    assert judge(mint.mint()) == ""


@pytest.mark.parametrize("name", list(TOKENS))
def test_hostile_token_is_refused_for_its_reason(name: str) -> None:
    """Without a socket, by the checks alone."""
    assert judge(TOKENS[name].token) in TOKENS[name].reasons


MAX_COST_S = 0.001


@pytest.mark.parametrize("name", list(TOKENS))
def test_hostile_token_costs_less_than_a_millisecond(name: str) -> None:
    """No token is worth sending for the work it makes."""
    assert costs_less(MAX_COST_S, lambda: judge_cost(TOKENS[name]))


def judge_cost(hostile: HostileToken) -> None:
    """Judge with what is set up beforehand."""
    try:
        found = bearer_token([b"Bearer " + hostile.token])
        assert found is not None
        COSTED.authenticate(found, NOW)
    except TokenError:
        pass


COSTED = authenticator()


@pytest.mark.parametrize("size", [8_193, 100_000, 8_000_000])
def test_token_of_any_size_above_the_limit_costs_the_same(size: int) -> None:
    """Constant work: its length is all that is looked at."""
    field = b"Bearer " + b"A" * size

    def work() -> None:
        with pytest.raises(TokenError) as refused:
            bearer_token([field])
        assert refused.value.reason == "token_too_large"

    assert costs_less(MAX_COST_S, work)


def test_kid_of_another_key_of_the_pool_is_refused() -> None:
    """Both keys are current; the one that kid names did not sign."""
    keys = HeldKeys(mint.jwk(), mint.jwk(ATTACKER, "second"))
    auth = authenticator(pool(keys))
    header = {"alg": "RS256", "kid": "second"}
    assert auth.authenticate(mint.mint(header=header, key=ATTACKER), NOW).fields
    for token in (mint.mint(header=header), mint.mint(key=ATTACKER)):
        with pytest.raises(TokenError) as refused:
            auth.authenticate(token, NOW)
        assert refused.value.reason == "signature_invalid"


# --- over a socket -------------------------------------------------------------------------------


def request(token: bytes) -> bytes:
    """Write a request with a token."""
    return b"GET /orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n" % token


def can_travel(token: bytes) -> bool:
    """Tell whether a field can hold the token; where it cannot, the request is refused before."""
    return token == token.strip() and re.fullmatch(rb"[\t -~\x80-\xff]*", token) is not None


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("mode", MODES)
async def test_hostile_token_reaches_no_backend_as_an_identity(house: House, mode: str) -> None:
    """Refused with its reason in require and optional, stripped in strip mode; never forwarded."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    for hostile in hostile_tokens(now):
        if not can_travel(hostile.token):
            continue
        house.backend.forget()
        answer = await ask(house.sidecars[mode].address, request(hostile.token))
        told = answer.fields["x-cognito-auth"].removeprefix("anonymous; reason=")
        reasons = hostile.reasons
        if len(hostile.token) > 16_000 and answer.status == 431:
            reasons = ("too_large",)
        assert told in reasons, hostile.name
        assert_nothing_leaks(hostile, answer)
        if mode == "strip" and answer.status != 431:
            assert answer.status == 200, hostile.name
            assert_stripped(house.backend)
        else:
            assert answer.status in (401, 431), hostile.name
            assert house.backend.requests == [], hostile.name


def assert_stripped(backend: RecordingBackend) -> None:
    """The backend saw one request, of nobody."""
    assert len(backend.requests) == 1
    for name in ("x-cognito-sub", "x-cognito-username", "authorization"):
        assert backend.last.values(name) == []


def assert_nothing_leaks(hostile: HostileToken, answer: Answer) -> None:
    """No piece of the token comes back, in the body or in any field."""
    said = answer.body + repr(answer.fields).encode()
    assert not pieces(hostile.token) & pieces(said), hostile.name


def pieces(text: bytes, size: int = 12) -> set[bytes]:
    """Cut into all runs of token characters of a length that chance does not repeat."""
    runs = re.findall(rb"[A-Za-z0-9_-]{12,}", text)
    return {run[i : i + size] for run in runs for i in range(len(run) - size + 1)}


async def test_log_holds_no_piece_of_any_token(
    start_sidecar: StartSidecar, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reason, kid and pool say enough; good tokens and bad ones leave nothing of themselves."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    sidecar = await start_sidecar(mode="require")
    tokens = [hostile.token for hostile in hostile_tokens(now) if can_travel(hostile.token)]
    tokens = [token for token in tokens if len(token) < 8000] + [mint.mint(now=now)]
    for token in tokens:
        await ask(sidecar.address, request(token))
    await sidecar.__aexit__()
    logged = capsys.readouterr()
    lines = (logged.out + logged.err).encode()
    assert lines.count(b"token_malformed") > 100
    assert b"Traceback" not in lines
    assert mint.POOL_ID.encode() in lines
    found = {piece for token in tokens for piece in pieces(token) & pieces(lines)}
    assert found <= pieces(mint.ISSUER.encode())  # the unencoded payload names the pool, as logs do


async def test_hostile_tokens_cause_no_second_fetch(
    start_sidecar: StartSidecar, key_server: KeyServer
) -> None:
    """Not for a kid that is unknown, and not for any other reason, within the budget."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    sidecar = await start_sidecar(mode="require")
    for hostile in hostile_tokens(now):
        if can_travel(hostile.token) and len(hostile.token) < 8000:
            await ask(sidecar.address, request(hostile.token))
    assert key_server.fetches == 1


@pytest.mark.parametrize("name", ["jku", "x5u"])
async def test_address_of_keys_in_the_header_is_never_fetched(
    start_sidecar: StartSidecar, backend: RecordingBackend, name: str
) -> None:
    """A canary listens there and hears nothing, whatever the kid."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    sidecar = await start_sidecar(mode="require")
    async with RawKeyServer().running() as canary:
        for kid in (mint.KID, "attacker"):
            header = {"alg": "RS256", "kid": kid, name: canary.url}
            token = mint.mint(header=header, key=ATTACKER, now=now)
            answer = await ask(sidecar.address, request(token))
            assert answer.status == 401
        assert canary.fetches == 0
    assert backend.requests == []


async def test_token_of_a_group_is_refused_where_another_is_asked_for_though_cached(
    start_sidecar: StartSidecar, backend: RecordingBackend, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is cached is who it is, not what they may do: each route asks anew."""
    file = tmp_path_factory.mktemp("settings") / "sidecar.toml"
    file.write_text(
        '[[routes]]\npath = "/admin"\nmode = "require"\ngroups = ["admin"]\n'
        '[[routes]]\npath = "/*"\nmode = "require"\n'
    )
    sidecar = await start_sidecar(config=str(file))
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    token = mint.mint(mint.access_claims(now, **{"cognito:groups": ["staff"]}))
    for path, status in ((b"/orders", 200), (b"/admin", 403), (b"/orders", 200)):
        answer = await ask(sidecar.address, request(token).replace(b"/orders", path))
        assert answer.status == status
    assert [seen.target for seen in backend.requests] == ["/orders", "/orders"]


async def test_cached_token_is_refused_once_it_has_expired(
    start_sidecar: StartSidecar, backend: RecordingBackend
) -> None:
    """Over the socket too, time is looked at on every hit."""
    sidecar = await start_sidecar(mode="require")
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    token = mint.mint(now=now, exp=now + 1)
    answer = await ask(sidecar.address, request(token))
    assert answer.status == 200
    while answer.status == 200:
        answer = await ask(sidecar.address, request(token))
    assert answer.status == 401
    assert answer.fields["x-cognito-auth"] == "anonymous; reason=token_expired"
    assert time.time() >= now + 1  # noqa: TID251 - as above
    assert backend.last.values("x-cognito-sub") == [mint.SUB]
