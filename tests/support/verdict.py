"""The judges of an attack. What the backend saw comes first: how many requests, whose, framed how.

The answer comes second: the right status, our words, and nothing of the client in it.
"""

import json
import re
from collections.abc import Iterable, Mapping

from sidecar.errors import SidecarError
from tests.support import mint
from tests.support.attack import MARK, NEXT, Carried, Refused
from tests.support.house import House
from tests.support.raw_client import Answer
from tests.support.segments import Way
from tests.support.wire import Sent, fold

PROVEN = {
    "HTTP_X_COGNITO_SUB": mint.SUB.encode(),
    "HTTP_X_COGNITO_USERNAME": mint.USERNAME.encode(),
}
NOBODY: Mapping[str, bytes] = {}

_NEXT_FIELDS = [
    b"Host",
    b"X-Forwarded-For",
    b"X-Forwarded-Proto",
    b"X-Forwarded-Host",
    b"X-Request-Id",
]

_SOFTWARE = re.compile(
    rb"aiohttp|python|uvloop|llhttp|httptools|asyncio|gunicorn|traceback", re.IGNORECASE
)
_WORDS = re.compile(rb"[A-Za-z0-9_.-]{4,}")


async def assert_refused(house: House, mode: str, attack: Refused, ways: Iterable[Way]) -> None:
    """Send an attack in several ways: each is refused, and no request ends at the backend."""
    for way in ways:
        outcome = await house.send(mode, way, count=None if attack.closes else 1)
        assert [s for s in outcome.seen if s.is_complete] == [], attack.name
        assert len(outcome.answers) == 1, outcome.conversation
        answer = outcome.answers[0]
        assert answer.status in attack.statuses, (answer.status, answer.body)
        assert_ours(answer, outcome.conversation.received, b"".join(way))
        assert not attack.reasons or _reason(answer) in attack.reasons, answer.body
        if attack.closes:
            assert outcome.conversation.is_closed, "the connection must be closed"
            assert answer.is_closing, "the answer must announce that the connection closes"


async def assert_carried(
    house: House, mode: str, attack: Carried, ways: Iterable[Way], identity: Mapping[str, bytes]
) -> None:
    """Send an attack in several ways, a harmless request behind it: the backend sees each once.

    The connection may end after the answer, if that says so; then the second is not served at all.
    """
    is_head = attack.method == b"HEAD"
    for way in ways:
        outcome = await house.send(mode, [*way, NEXT], count=2, is_head=is_head)
        first, *rest = outcome.answers
        assert first.status == 200
        assert [answer.status for answer in rest] == ([] if first.is_closing else [_next(mode)])
        assert len(outcome.seen) == 1 + [answer.status for answer in rest].count(200)
        _assert_arrived(attack, outcome.seen[0], identity)
        for following in outcome.seen[1:]:
            assert following.target == b"/next"
            assert [name for name, _ in following.fields] == _NEXT_FIELDS


def _assert_arrived(attack: Carried, seen: Sent, identity: Mapping[str, bytes]) -> None:
    assert (seen.method, seen.target) == (attack.method, attack.target)
    assert seen.body == attack.body
    assert_identity(seen, identity)
    for name, value in attack.has:
        assert seen.values(name.lower()) == [value], name
    for name in attack.lacks:
        assert seen.values(name) == [], name


def assert_identity(seen: Sent, expected: Mapping[str, bytes]) -> None:
    """The application behind WSGI finds the expected identity, once, and no other."""
    folded = [(fold(name), value) for name, value in seen.fields]
    names = [name for name, _ in folded]
    ours = {name: value for name, value in folded if name.startswith("HTTP_X_COGNITO_")}
    assert ours == dict(expected)
    for name in expected:
        assert names.count(name) == 1, f"{name} arrives more than once"
    assert not [name for name, _ in seen.fields if b"_" in name], "a name with an underscore"


def assert_ours(answer: Answer, received: bytes, request: bytes) -> None:
    """The answer is the sidecar's own: JSON, worded by us, and nothing of the client in it."""
    fields = answer.fields
    assert fields["content-type"] == "application/json"
    assert fields["cache-control"] == "no-store"
    body = json.loads(answer.body)
    assert set(body) == {"error", "reason", "request_id"}
    assert body["reason"] in _reasons(SidecarError)
    assert body["request_id"] == fields["x-request-id"]
    reason = f"; reason={body['reason']}"
    assert fields["x-cognito-auth"].removesuffix(reason) in ("anonymous", "authenticated")
    assert "server" not in fields
    assert not _SOFTWARE.search(received), received
    assert MARK not in received, received
    echoed = {w for w in _WORDS.findall(request) if w in received} - _vocabulary(body)
    assert not echoed, f"the client's bytes come back: {echoed}"


def _vocabulary(body: Mapping[str, str]) -> set[bytes]:
    """Words that stand in refusals anyway."""
    text = (
        "HTTP HTTP/1.1 1.1 Connection close Content-Length Content-Type application json Bearer "
        "cognito realm X-Cognito-Auth X-Request-Id anonymous authenticated GET HEAD POST PUT PATCH "
        "DELETE OPTIONS Content Length Type Cognito Cache-Control Transfer Upgrade Version error "
        "Expect Expectation Unauthorized Authorization"
    )
    words = " ".join([text, *body.values()]).encode()
    return set(_WORDS.findall(words))


def _reason(answer: Answer) -> str:
    reason = json.loads(answer.body)["reason"]
    assert isinstance(reason, str)
    return reason


def _reasons(error: type[SidecarError]) -> set[str]:
    own = {error.reason} if "reason" in vars(error) else set()
    return own.union(*map(_reasons, error.__subclasses__()))


def _next(mode: str) -> int:
    return 401 if mode == "require" else 200
