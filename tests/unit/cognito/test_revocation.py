"""What Cognito's answers mean for a token that verifies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sidecar.cognito.revocation import REQUIRED_SCOPE, RevocationCheck
from sidecar.errors import RevocationUnknown, TokenRevoked
from sidecar.model import BearerToken, Identity

POOL_ID = "eu-west-1_AbCdEfGhI"
TOKEN = BearerToken(b"a.b.c")
USER = Identity(
    (), frozenset(), frozenset({REQUIRED_SCOPE}), "access", POOL_ID, "kid", expires_at=2.0
)
MACHINE = Identity((), frozenset(), frozenset({"api/read"}), "access", POOL_ID, "kid", 2.0)


class FakeCognito:
    """Answers GetUser as it is told; a real one cannot be made to throttle on demand."""

    def __init__(self) -> None:
        self.status = 200
        self.body = '{"Username": "x", "UserAttributes": []}'
        self.questions: list[tuple[str, object]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.questions.append((request.headers["X-Amz-Target"], await request.json()))
        await self.gate.wait()
        return web.Response(status=self.status, text=self.body)


@pytest.fixture
async def cognito() -> FakeCognito:
    return FakeCognito()


@pytest.fixture
async def make_check(
    cognito: FakeCognito,
) -> AsyncIterator[Callable[[float], Awaitable[RevocationCheck]]]:
    app = web.Application()
    app.router.add_post("/", cognito.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:

        async def make(max_age_s: float) -> RevocationCheck:
            return RevocationCheck({POOL_ID: str(server.make_url("/"))}, session, max_age_s)

        yield make


MakeCheck = Callable[[float], Awaitable[RevocationCheck]]


async def test_good_token_is_asked_about_once(cognito: FakeCognito, make_check: MakeCheck) -> None:
    """Cognito's yes is believed for a while."""
    check = await make_check(60)
    for _ in range(3):
        await check.confirm(TOKEN, USER)
    assert cognito.questions == [
        ("AWSCognitoIdentityProviderService.GetUser", {"AccessToken": "a.b.c"})
    ]


async def test_yes_is_believed_no_longer_than_its_time(
    cognito: FakeCognito, make_check: MakeCheck
) -> None:
    """After the time a token is asked about again."""
    check = await make_check(0.001)
    await check.confirm(TOKEN, USER)
    await asyncio.sleep(0.01)  # the clock itself is what is waited for
    await check.confirm(TOKEN, USER)
    assert len(cognito.questions) == 2


@pytest.mark.parametrize(
    "kind",
    [
        "NotAuthorizedException",
        "UserNotFoundException",
        "com.amazonaws.cognito#UserNotConfirmedException",
        "PasswordResetRequiredException",
    ],
)
async def test_refusal_of_cognito_revokes_the_token(
    kind: str, cognito: FakeCognito, make_check: MakeCheck
) -> None:
    """A token that Cognito no longer takes is revoked, and no yes is remembered for it."""
    check = await make_check(60)
    cognito.status, cognito.body = 400, f'{{"__type": "{kind}", "message": "no"}}'
    for _ in range(2):
        with pytest.raises(TokenRevoked):
            await check.confirm(TOKEN, USER)
    assert len(cognito.questions) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"__type": "TooManyRequestsException"}'),
        (400, '{"__type": 1}'),
        (400, "[]"),
        (400, "not json"),
        (403, '{"__type": "NotAuthorizedException"}'),
        (302, ""),
        (500, ""),
    ],
)
async def test_answer_that_says_nothing_is_no_yes(
    status: int, body: str, cognito: FakeCognito, make_check: MakeCheck
) -> None:
    """Whatever is neither yes nor no leaves the token undecided."""
    check = await make_check(60)
    cognito.status, cognito.body = status, body
    with pytest.raises(RevocationUnknown):
        await check.confirm(TOKEN, USER)


async def test_requests_at_once_ask_once(cognito: FakeCognito, make_check: MakeCheck) -> None:
    """A burst with one token is one question."""
    check = await make_check(60)
    cognito.gate.clear()
    waiting = [asyncio.ensure_future(check.confirm(TOKEN, USER)) for _ in range(20)]
    await asyncio.sleep(0)
    cognito.gate.set()
    await asyncio.gather(*waiting)
    assert len(cognito.questions) == 1


async def test_token_of_a_machine_is_not_asked_about(
    cognito: FakeCognito, make_check: MakeCheck
) -> None:
    """GetUser cannot tell about tokens without a user."""
    await (await make_check(60)).confirm(TOKEN, MACHINE)
    assert cognito.questions == []


async def test_cognito_out_of_reach_is_no_yes() -> None:
    """Nobody there leaves the token undecided."""
    async with aiohttp.ClientSession() as session:
        check = RevocationCheck({POOL_ID: "http://127.0.0.1:9/"}, session, 60)
        with pytest.raises(RevocationUnknown):
            await check.confirm(TOKEN, USER)
