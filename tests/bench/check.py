"""Who does other work than the rest is not measured: what a peer lets through, before how fast.

Each is asked the same questions in front of a backend that records what arrives.
"""

import json
import time
from dataclasses import dataclass

import aiohttp

from tests.bench import tokens
from tests.support import mint
from tests.support.recording_backend import Exchange, RecordingBackend

_IDENTITY = ("x-cognito-sub", "x-cognito-username")
_SPOOFED = {"X-Cognito-Sub": "spoofed", "x-cognito-username": "spoofed"}
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class DoesOtherWork(Exception):
    """A peer lets through what it must not, or changes what it must not; the message says what."""


@dataclass(frozen=True)
class Answer:
    """What came of one request.

    Attributes:
        status: As the client saw it.
        arrived: What the backend saw; None if nothing.
        body: As the client saw it.
    """

    status: int
    arrived: Exchange | None
    body: bytes

    def identity(self) -> list[str]:
        """Return all values of the identity fields that arrived."""
        if self.arrived is None:
            return []
        return [value for name in _IDENTITY for value in self.arrived.values(name)]


def bad_tokens(now: float) -> dict[str, bytes]:
    """Make one token of each kind that nobody may accept."""
    good = tokens.mint_one(1, now)
    return {
        "a wrong signature": tokens.break_signature(good),
        "an expired token": tokens.mint_one(1, now, exp=int(now) - 600),
        "a token of another issuer": tokens.mint_one(1, now, iss=f"{mint.ISSUER}x"),
        "another pool's key": mint.mint(now=now, key=mint.private_key("other")),
        "alg none": mint.mint(now=now, header={"kid": mint.KID, "alg": "none"}, signature=b""),
        "no token at all": b"nothing",
    }


def unscoped_tokens(now: float) -> dict[str, bytes]:
    """Make tokens that the pool signed, but not for us: not every peer can tell."""
    return {
        "another client's token": tokens.mint_one(1, now, client_id="someone-else"),
        "a token of another use": tokens.mint_one(1, now, token_use="id"),
    }


async def check_proxy(url: str, backend: RecordingBackend) -> list[str]:
    """Check that a proxy does the work that is measured.

    Returns:
        What it accepts although the sidecar does not, in words, for the report.

    Raises:
        DoesOtherWork: It cannot be compared.
    """
    now = time.time()  # noqa: TID251 - every peer reads the real clock
    async with aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False) as session:
        asking = _Asking(session, url, backend)
        await _check_good(asking, tokens.mint_one(7, now))
        _expect(not (await asking.ask(None)).identity(), "an anonymous request has no identity")
        for what, token in bad_tokens(now).items():
            answer = await asking.ask(token)
            refused = answer.status in (401, 403) and answer.arrived is None
            _expect(refused, f"{what} is refused, not {answer.status}")
        accepted = []
        for what, token in unscoped_tokens(now).items():
            if (await asking.ask(token)).identity():
                accepted.append(what)
    return accepted


async def check_view(url: str, *, verifies: bool) -> None:
    """Check that an application that is its own backend answers with the caller.

    Raises:
        DoesOtherWork: It does not.
    """
    now = time.time()  # noqa: TID251 - as above
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        asking = _Asking(session, url, None)
        good = await asking.ask(tokens.mint_one(7, now))
        _expect(json.loads(good.body)["username"] == "user-7", "the view knows who is calling")
        if verifies:
            for what, token in bad_tokens(now).items():
                answer = await asking.ask(token)
                _expect(answer.status == 401, f"{what} is refused, not {answer.status}")


async def _check_good(asking: "_Asking", token: bytes) -> None:
    body = b"y" * 65536
    for method, sent in (("GET", b""), ("POST", body)):
        answer = await asking.ask(token, method, sent)
        _expect(answer.status == 200, f"a good token is accepted, not {answer.status}")
        expected = ["00000007-bbbb-cccc-dddd-eeeeeeeeeeee", "user-7"]
        _expect(answer.identity() == expected, f"identity is {expected}, not {answer.identity()}")
        arrived = answer.arrived.body if answer.arrived else b""
        _expect(arrived == sent, f"a body of {len(sent)} bytes arrives, not {len(arrived)}")


@dataclass(frozen=True)
class _Asking:
    session: aiohttp.ClientSession
    url: str
    backend: RecordingBackend | None

    async def ask(self, token: bytes | None, method: str = "GET", body: bytes = b"") -> Answer:
        if self.backend is not None:
            self.backend.forget()
        fields = dict(_SPOOFED)
        if token is not None:
            fields["Authorization"] = f"Bearer {token.decode()}"
        target = f"{self.url}/api/feed"
        async with self.session.request(
            method, target, headers=fields, data=body or None
        ) as response:
            text = await response.read()
        arrived = self.backend.requests if self.backend is not None else []
        return Answer(response.status, arrived[-1] if arrived else None, text)


def _expect(holds: object, what: str) -> None:
    if not holds:
        raise DoesOtherWork(f"expected that {what}")
