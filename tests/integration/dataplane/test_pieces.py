"""Each request is read alone, whatever it comes with; what stands in a body is no request."""

import asyncio
import hashlib

import pytest

from sidecar.server import Sidecar
from tests.integration.dataplane.conftest import dial, read_all, until
from tests.support.raw_client import Answer, converse, parse_answers
from tests.support.recording_backend import OK, Exchange, RecordingBackend

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n'
    b"I am a text\r\n\r\nGET / RTSP/1.0\r\n\r\nof two lines\r\n--b--\r\n"
)
"""Between its empty lines stands what could be a request of another protocol."""


def get(path: str, version: str = "HTTP/1.1", fields: str = "") -> bytes:
    """Write a request without a body."""
    return f"GET {path} {version}\r\nHost: x\r\n{fields}\r\n".encode()


def post(path: str, body: bytes, fields: str = "") -> bytes:
    """Write a request with a body."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def post_in_chunks(path: str, body: bytes) -> bytes:
    """Write the same in chunks."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.fixture(autouse=True)
def digests(backend: RecordingBackend) -> None:
    """Let the backend answer with what it was asked, `/slow` after a while."""

    async def reply(
        exchange: Exchange, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if exchange.target == "/slow":
            await asyncio.sleep(0.1)
        digest = hashlib.sha256(exchange.body).hexdigest()[:8]
        text = f"{exchange.target} {digest}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    backend.reply = reply


LONG = FORM + b"x" * 100_000 + FORM

FORMS: dict[str, list[bytes]] = {
    "whole": [post("/f", FORM)],
    "body apart": [post("/f", FORM)[: -len(FORM)], FORM],
    "body cut": [post("/f", FORM)[:-40], FORM[-40:]],
    "long": [post("/f", LONG)],
    "long, cut": [post("/f", LONG)[:70_000], post("/f", LONG)[70_000:]],
    "in chunks": [post_in_chunks("/f", FORM)],
    "awaited": [post("/f", FORM, "Expect: 100-continue\r\n")],
}


@pytest.mark.parametrize("name", list(FORMS))
@pytest.mark.parametrize("is_behind", [False, True], ids=["alone", "behind another"])
async def test_form_whose_text_looks_like_a_request_is_carried(
    sidecar: Sidecar,
    backend: RecordingBackend,
    name: str,
    is_behind: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Its lines were taken for requests of another protocol, and forms refused with 505."""
    before = [get("/slow")] if is_behind else []
    seen = await converse(sidecar.address, [*before, *FORMS[name]], count=1 + is_behind)
    assert [answer.status for answer in seen.answers] == [200] * (1 + is_behind)
    assert backend.requests[-1].body in {FORM, LONG}


FOREIGN = get("/r", "RTSP/1.0")
UPLOAD = post("/a", b"0123456789")


async def say(sidecar: Sidecar, first: bytes, *rest: bytes) -> list[Answer]:
    """Send pieces, the second as soon as the sidecar is at work on the first."""
    reader, writer = await dial(sidecar.address)
    writer.write(first)
    await until(lambda: sidecar.read().in_flight == 1)
    for piece in rest:
        writer.write(piece)
        await asyncio.sleep(0.01)
    answers = parse_answers(await read_all(reader))[0]
    writer.close()
    return answers


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (get("/slow"), [FOREIGN]),
        (get("/slow"), [FOREIGN[:9], FOREIGN[9:]]),
        (get("/slow") + FOREIGN[:9], [FOREIGN[9:]]),
        (post("/slow", b"hello"), [FOREIGN]),
        (post("/slow", FORM), [FOREIGN]),
        (post("/slow", b"hello")[:-2], [b"lo" + FOREIGN]),
        (post("/slow", b"hello")[:-2], [b"lo" + FOREIGN[:9], FOREIGN[9:]]),
    ],
)
async def test_other_protocol_is_refused_whatever_is_in_flight(
    sidecar: Sidecar, backend: RecordingBackend, first: bytes, rest: list[bytes]
) -> None:
    """505, and the backend never hears of it."""
    answers = await say(sidecar, first, *rest)
    assert [answer.status for answer in answers] == [200, 505]
    assert [request.target for request in backend.requests] == ["/slow"]


@pytest.mark.parametrize(
    "stream",
    [
        FOREIGN,
        post("/a", b"hello") + FOREIGN,
        get("/r", "RTSP/1.0", f"X: {'x' * 7000}\r\nY: {'y' * 7000}\r\nZ: {'z' * 7000}\r\n"),
    ],
)
async def test_other_protocol_is_refused_in_a_segment_with_a_request_or_alone(
    sidecar: Sidecar, backend: RecordingBackend, stream: bytes
) -> None:
    """However long its head is."""
    seen = await converse(sidecar.address, [stream])
    assert seen.answers[-1].status == 505
    assert "/r" not in [request.target for request in backend.requests]


@pytest.mark.parametrize(
    ("begin", "status"),
    [(b"get /x HTTP/1.1", 501), (b"FOO /x HTTP/1.1", 501), (b"GET /x HTTP/2.0", 505)],
)
@pytest.mark.parametrize("first", [get("/slow"), post("/slow", b"hello"), post("/slow", b"")])
async def test_refusal_is_worded_for_its_own_request(
    sidecar: Sidecar, first: bytes, begin: bytes, status: int
) -> None:
    """Not for the one in flight."""
    answers = await say(sidecar, first, begin + b"\r\nHost: x\r\n\r\n")
    assert [answer.status for answer in answers] == [200, status]


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
async def test_requests_behind_a_declined_upgrade_and_a_body_are_read(
    sidecar: Sidecar, backend: RecordingBackend, protocol: str
) -> None:
    """One vanished, and the answer to the next came in its place."""
    asks = get("/b", fields=f"Connection: upgrade\r\nUpgrade: {protocol}\r\n")
    last = get("/d", fields="Connection: close\r\n")
    answers = await say(sidecar, UPLOAD[:-5], UPLOAD[-5:] + asks + get("/c"), last)
    assert [answer.body.split()[0] for answer in answers] == [b"/a", b"/b", b"/c", b"/d"]
    assert [request.target for request in backend.requests] == ["/a", "/b", "/c", "/d"]


async def test_request_behind_the_end_of_a_body_is_read_though_the_next_is_bad(
    sidecar: Sidecar, backend: RecordingBackend
) -> None:
    """Each is judged alone."""
    bad = get("/c", fields="X Y: 1\r\n")
    answers = await say(sidecar, UPLOAD[:-5], UPLOAD[-5:] + get("/b") + bad)
    assert [answer.status for answer in answers] == [200, 200, 400]
    assert [request.target for request in backend.requests] == ["/a", "/b"]


BIG = "".join(f"X-{number}: {'x' * 5000}\r\n" for number in range(4))
BAD = get("/bad", fields="X Y: 1\r\n")


@pytest.mark.parametrize(
    ("pieces", "statuses"),
    [
        ([get("/a") + get("/big", fields=BIG), FOREIGN], [200, 200, 505]),
        ([get("/a") + get("/big", fields=BIG), get("/b") + BAD], [200, 200, 200, 400]),
        ([get("/big", fields=BIG) + get("/b") + BAD], [200, 200, 400]),
        ([post("/big", FORM, BIG) + get("/b") + BAD], [200, 200, 400]),
        ([get("/big", fields=BIG) + FOREIGN], [505]),
    ],
)
async def test_requests_behind_a_long_head_are_judged_alone(
    sidecar: Sidecar, pieces: list[bytes], statuses: list[int]
) -> None:
    """As those behind a short one are, at once and later."""
    reader, writer = await dial(sidecar.address)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.05)
        await until(lambda: sidecar.read().in_flight == 0)
    answers = parse_answers(await read_all(reader))[0]
    writer.close()
    assert [answer.status for answer in answers] == statuses


@pytest.mark.parametrize("turns", range(5))
async def test_form_that_comes_just_as_another_request_begins_is_carried(
    sidecar: Sidecar, backend: RecordingBackend, turns: int
) -> None:
    """Between the end of one request and the beginning of the next that is there already."""
    reader, writer = await dial(sidecar.address)
    form = post("/f", FORM)

    async def reply(
        exchange: Exchange, _: asyncio.StreamReader, answer: asyncio.StreamWriter
    ) -> None:
        if exchange.target == "/first":
            await asyncio.sleep(0.03)
        answer.write(OK)
        if exchange.target == "/first":
            for _turn in range(turns):
                await asyncio.sleep(0)
            writer.write(form[:-60])

    backend.reply = reply
    writer.write(get("/first"))
    await until(lambda: sidecar.read().in_flight == 1)
    writer.write(get("/second"))
    await asyncio.sleep(0.1)
    writer.write(form[-60:] + get("/last", fields="Connection: close\r\n"))
    answers = parse_answers(await read_all(reader))[0]
    writer.close()
    assert [answer.status for answer in answers] == [200] * 4
