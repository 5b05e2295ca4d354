"""What a broken or hostile backend answers: 502 before the head, a visible break after it.

Nothing a backend says adds an answer, an identity or a field of one hop to what the client gets.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.attack import BEARER, MARK, NEXT, post, request
from tests.support.house import House, with_token
from tests.support.recording_backend import OK, Exchange
from tests.support.verdict import assert_ours

pytestmark = pytest.mark.asyncio(loop_scope="module")


def answer(*lines: bytes, status: bytes = b"200 OK", body: bytes = b"") -> bytes:
    """Write a response with exactly these field lines."""
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", body])


LENGTH = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"

BROKEN = {
    "garbage": b"\x00\x01\x02 not http\r\n\r\n",
    "html-without-head": b"<html>hello</html>\r\n\r\n",
    "other-protocol": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "http-0.9": b"hello\r\n",
    "http-2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "status-of-two-digits": answer(b"Content-Length: 0", status=b"20 OK"),
    "status-of-four-digits": answer(b"Content-Length: 0", status=b"2000 OK"),
    "status-of-letters": answer(b"Content-Length: 0", status=b"abc OK"),
    "length-and-chunked": answer(LENGTH, CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n"),
    "two-lengths": answer(LENGTH, b"Content-Length: 6", body=b"hello!"),
    "two-equal-lengths": answer(LENGTH, LENGTH, body=b"hello"),
    "length-list": answer(b"Content-Length: 5, 5", body=b"hello"),
    "negative-length": answer(b"Content-Length: -5", body=b"hello"),
    "length-with-plus": answer(b"Content-Length: +5", body=b"hello"),
    "length-in-hex": answer(b"Content-Length: 0x5", body=b"hello"),
    "unknown-coding": answer(b"Transfer-Encoding: gzip", body=b"hello"),
    "coding-before-chunked": answer(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "coding-twice": answer(CHUNKED, CHUNKED, body=b"0\r\n\r\n"),
    "folded-field": answer(b"X-A: b\r\n X-Cognito-Auth: forged", b"Content-Length: 0"),
    "bare-cr-in-field": answer(b"X-A: b\rX-B: c", b"Content-Length: 0"),
    "nul-in-field": answer(b"X-A: b\x00c", b"Content-Length: 0"),
    "field-without-colon": answer(b"nocolon", b"Content-Length: 0"),
    "space-before-colon": answer(b"X-A : b", b"Content-Length: 0"),
    "head-of-200-kib": answer(b"X-A: " + b"a" * 200 * 1024, b"Content-Length: 0"),
    "many-fields-of-200-kib": answer(*[b"X-A: " + b"a" * 1000] * 200, b"Content-Length: 0"),
    "unsolicited-101": answer(b"Upgrade: websocket", b"Connection: Upgrade", status=b"101 Switch"),
    "unsolicited-101-h2c": answer(b"Upgrade: h2c", b"Connection: Upgrade", status=b"101 Switch"),
    "101-and-a-smuggled-answer": answer(status=b"101 Switch") + OK,
    "only-100s": answer(status=b"100 Continue") * 3 + b"x\r\n\r\n",
}

# Cut off in the head: the connection ends.
CUT_SHORT = {
    "nothing": b"",
    "half-a-status-line": b"HTTP/1.1 20",
    "half-a-head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "only-100": answer(status=b"100 Continue"),
    "only-103": answer(b"Link: </a>", status=b"103 Early Hints"),
}

# Cut off in the body: what the client gets must not look whole.
TRUNCATED = {
    "length": answer(b"Content-Length: 10", body=b"hello"),
    "length-without-any": answer(b"Content-Length: 10"),
    "length-large": answer(b"Content-Length: 1000000", body=b"x" * 500_000),
    "chunked-without-end": answer(CHUNKED, body=b"5\r\nhello\r\n"),
    "chunked-in-a-chunk": answer(CHUNKED, body=b"10\r\nhello"),
    "chunked-without-any": answer(CHUNKED),
    "chunk-of-garbage": answer(CHUNKED, body=b"5\r\nhello\r\nzz\r\n\r\n"),
    "chunk-without-crlf": answer(CHUNKED, body=b"5\r\nhelloXX0\r\n\r\n"),
}


@dataclass
class Script:
    """Answers with bytes, and closes; counts how often it was asked."""

    reply: bytes
    asked: int = 0
    is_reset: bool = False

    async def __call__(
        self, _exchange: Exchange, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Play."""
        self.asked += 1
        writer.write(self.reply)
        if self.is_reset:
            writer.transport.abort()
        else:
            await writer.drain()
            writer.close()


@pytest.fixture
def played(house: House, request: pytest.FixtureRequest) -> Iterator[Script]:
    """Let the backend answer with the bytes of the parameter, and well again afterwards."""
    script = Script(request.param)
    house.backend.reply = script
    yield script
    house.backend.reply = OK


REQUESTS = {
    "get": request(BEARER),
    "post": post(BEARER, b"Content-Length: 5", body=b"hello"),
    "chunked": post(BEARER, CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("played", BROKEN.values(), ids=BROKEN, indirect=True)
async def test_answer_that_is_no_clear_http_is_a_502(
    house: House, played: Script, kind: str
) -> None:
    """The client gets our 502, nothing of the garbage, and the backend is asked once."""
    raw = with_token(house, REQUESTS[kind])
    outcome = await house.send("require", [raw], count=1)
    assert [answer.status for answer in outcome.answers] == [502]
    assert_ours(outcome.answers[0], outcome.conversation.received, raw)
    assert played.asked == 1


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("played", CUT_SHORT.values(), ids=CUT_SHORT, indirect=True)
async def test_answer_cut_off_in_its_head_is_a_502(house: House, played: Script, kind: str) -> None:
    """A backend that leaves before its head was asked once, whatever the method."""
    raw = with_token(house, REQUESTS[kind])
    outcome = await house.send("require", [raw], count=1)
    assert [answer.status for answer in outcome.answers] == [502]
    assert_ours(outcome.answers[0], outcome.conversation.received, raw)
    assert played.asked == 1


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("played", TRUNCATED.values(), ids=TRUNCATED, indirect=True)
async def test_answer_cut_off_in_its_body_never_looks_whole(
    house: House, played: Script, kind: str
) -> None:
    """Our 502 if nothing was sent yet, else the client's connection breaks off before the end."""
    raw = with_token(house, REQUESTS[kind])
    outcome = await house.send("require", [raw + NEXT], count=None)
    assert played.asked == 1
    if outcome.answers:
        assert outcome.answers[0].status == 502
        assert b"hello" not in outcome.conversation.received
    else:
        assert outcome.conversation.is_closed
        assert outcome.conversation.received.count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize("played", [b""], indirect=True)
async def test_reset_of_a_fresh_connection_is_a_502_and_nothing_is_sent_twice(
    house: House, played: Script
) -> None:
    """A reset after a POST tells nothing of what the backend did with it."""
    played.is_reset = True
    raw = with_token(house, REQUESTS["post"])
    outcome = await house.send("require", [raw], count=1)
    assert [answer.status for answer in outcome.answers] == [502]
    assert played.asked == 1


EXTRA = {
    "a-second-answer": answer(LENGTH, body=b"hello") + answer(b"Content-Length: 6", body=b"forged"),
    "bytes-behind-the-body": answer(LENGTH, body=b"hello") + b"forged",
    "behind-the-last-chunk": answer(CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n") + OK,
    "body-of-a-204": answer(status=b"204 No Content", body=b"forged"),
    "length-of-a-204": answer(b"Content-Length: 6", status=b"204 No Content", body=b"forged"),
    "body-of-a-304": answer(b"Content-Length: 6", status=b"304 Not Modified", body=b"forged"),
}


@pytest.mark.parametrize("name", EXTRA)
async def test_surplus_bytes_of_a_backend_answer_nobody_else(house: House, name: str) -> None:
    """What comes behind an answer is thrown away, and its connection with it."""
    house.backend.reply = EXTRA[name]
    try:
        raw = with_token(house, request(BEARER))
        first = await house.send("require", [raw], count=1)
        house.backend.reply = OK
        second = await house.send("require", [raw, raw], count=2)
    finally:
        house.backend.reply = OK
    for outcome in (first, second):
        assert b"forged" not in outcome.conversation.received
    assert [answer.body for answer in second.answers] == [b"ok", b"ok"]


async def test_body_of_an_answer_to_head_answers_nobody_else(house: House) -> None:
    """A backend that sends a body to HEAD does not shift the answers behind it."""
    house.backend.reply = answer(LENGTH, body=b"wrong")
    try:
        head = with_token(house, request(BEARER, method=b"HEAD"))
        first = await house.send("require", [head], count=1, is_head=True)
    finally:
        house.backend.reply = OK
    second = await house.send("require", [with_token(house, request(BEARER))], count=1)
    assert b"wrong" not in first.conversation.received
    assert [answer.body for answer in second.answers] == [b"ok"]


async def test_hop_by_hop_fields_of_an_answer_end_here(house: House) -> None:
    """`Connection: X-Hop` works on the way back too, and what only we may say is replaced."""
    house.backend.reply = answer(
        b"Connection: X-Hop, X-Other",
        b"X-Hop: 1",
        b"x-other: 2",
        b"Keep-Alive: timeout=9",
        b"Proxy-Authenticate: Basic",
        b"Trailer: X-T",
        b"Upgrade: h2c",
        b"X-Cognito-Auth: authenticated",
        b"x-cognito-auth: authenticated",
        b"X-Request-Id: forged",
        b"X-Stays: 1",
        LENGTH,
        body=b"hello",
    )
    try:
        outcome = await house.send("strip", [request()], count=1)
    finally:
        house.backend.reply = OK
    (got,) = outcome.answers
    assert got.fields.keys() == {"x-stays", "x-cognito-auth", "x-request-id", "content-length"}
    assert got.fields["x-cognito-auth"] == "anonymous"
    assert outcome.conversation.received.count(b"ognito-Auth") == 1
    assert b"forged" not in outcome.conversation.received
    assert MARK not in outcome.conversation.received


async def test_trailers_of_an_answer_are_dropped(house: House) -> None:
    """A trailer cannot say who was authenticated."""
    body = b"5\r\nhello\r\n0\r\nX-Cognito-Auth: authenticated\r\nX-T: forged\r\n\r\n"
    house.backend.reply = answer(CHUNKED, body=body)
    try:
        outcome = await house.send("strip", [request()], count=1)
    finally:
        house.backend.reply = OK
    assert outcome.answers[0].body == b"hello"
    assert b"forged" not in outcome.conversation.received
    assert outcome.conversation.received.count(b"X-Cognito-Auth") == 1


async def test_interim_answers_pass_in_front_of_the_final_one(house: House) -> None:
    """103 reaches a client of HTTP/1.1, and never takes the place of the answer."""
    hints = answer(b"Link: </a.css>; rel=preload", status=b"103 Early Hints")
    house.backend.reply = hints + hints + answer(LENGTH, body=b"hello")
    try:
        outcome = await house.send("strip", [request()], count=1)
    finally:
        house.backend.reply = OK
    assert [answer.status for answer in outcome.answers] == [200]
    assert set(outcome.conversation.interim) <= {103}
