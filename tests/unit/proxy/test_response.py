"""Responses of the backend, however they are cut."""

import pytest

from sidecar.errors import UpstreamBroken
from sidecar.proxy.response import ResponseReader
from sidecar.proxy.response_head import KnownHeads

OK = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"


def read(
    raw: bytes, step: int, *, is_head: bool = False, may_upgrade: bool = False
) -> ResponseReader:
    """Read a response in pieces."""
    reader = ResponseReader()
    reader.expect(is_head=is_head, may_upgrade=may_upgrade)
    feed(reader, raw, step)
    return reader


def feed(reader: ResponseReader, raw: bytes, step: int) -> None:
    """Feed bytes in pieces."""
    for start in range(0, len(raw), step):
        reader.feed(raw[start : start + step])


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_response_is_read_however_it_is_cut(step: int) -> None:
    """Status, phrase, fields in order, body."""
    reader = read(OK, step)
    head = reader.heads.popleft()
    assert (head.status, head.reason, head.length) == (200, b"Fine", 2)
    assert head.fields == [(b"Content-Length", b"2"), (b"X-A", b"b")]
    assert reader.take() == b"ok"
    assert (reader.is_complete, reader.is_reusable) == (True, True)


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_interim_responses_come_first(step: int) -> None:
    """Each is a head of its own."""
    reader = read(b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 100 Go\r\n\r\n" + OK, step)
    assert [head.status for head in reader.heads] == [103, 100, 200]
    assert [head.is_interim for head in reader.heads] == [True, True, False]


@pytest.mark.parametrize("step", [1, 1000])
def test_trailers_are_dropped(step: int) -> None:
    """They are no fields of this response or the next."""
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n"
    reader = read(raw, step)
    assert reader.heads.popleft().fields == []
    reader.expect(is_head=False, may_upgrade=False)
    reader.feed(OK)
    assert reader.heads.popleft().fields == [(b"Content-Length", b"2"), (b"X-A", b"b")]


@pytest.mark.parametrize(
    ("raw", "is_head"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", False),
        (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", False),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_response_whose_body_must_not_come_ends_the_connection(
    raw: bytes, step: int, *, is_head: bool
) -> None:
    """The body may come late, and must never be taken for somebody else's answer."""
    reader = read(raw, step, is_head=is_head)
    assert (reader.is_complete, reader.is_reusable, reader.take()) == (True, False, b"")


@pytest.mark.parametrize("rest", [b"x", OK, b"\r\n\r\n\r\nx"])
def test_more_than_one_response_poisons(rest: bytes) -> None:
    """The response stands; the connection is never used again."""
    reader = read(OK + rest, 10_000)
    assert (reader.is_complete, reader.is_reusable, reader.take()) == (True, False, b"ok")


def test_body_until_close_is_whole_at_the_end() -> None:
    """HTTP/1.0 without a length."""
    reader = read(b"HTTP/1.0 200 OK\r\n\r\nhello", 4)
    assert not reader.is_complete
    assert reader.end()
    assert (reader.take(), reader.is_reusable) == (b"hello", False)


def test_end_in_the_middle_is_no_end() -> None:
    """A length is a promise."""
    assert not read(OK[:-1], 1000).end()


def test_switch_hands_over_what_follows() -> None:
    """After 101 all bytes are the other protocol's."""
    switch = b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n"
    reader = read(switch + b"ab", 10_000, may_upgrade=True)
    reader.feed(b"c")
    assert (reader.heads.popleft().status, reader.take()) == (101, b"abc")
    assert (reader.is_complete, reader.end()) == (False, True)


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: aaaaaaaa\r\n" * 10_000,
        b"hello",
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else str(value),
)
def test_response_that_is_none_is_broken(raw: bytes, step: int) -> None:
    """And no head of it is given away."""
    reader = ResponseReader()
    reader.expect(is_head=False, may_upgrade=False)
    with pytest.raises(UpstreamBroken):
        feed(reader, raw, step)
    assert not reader.heads


KNOWN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\n"


def next_response(known: KnownHeads, raw: bytes, *, is_head: bool = False) -> ResponseReader:
    """Read one response, as a connection does that knows what others have seen."""
    reader = ResponseReader(known)
    reader.expect(is_head=is_head, may_upgrade=False)
    reader.feed(raw)
    return reader


def test_known_head_is_read_as_it_was_the_first_time() -> None:
    """The same head, with another body."""
    known = KnownHeads()
    first = next_response(known, KNOWN + b"ab")
    again = next_response(known, KNOWN + b"cd")
    assert again.heads.popleft() is first.heads.popleft()
    assert (first.take(), again.take()) == (b"ab", b"cd")
    assert again.is_complete
    assert again.is_reusable


@pytest.mark.parametrize(("body", "is_whole"), [(b"a", False), (b"", False), (b"abc", True)])
def test_known_head_with_another_amount_of_body_is_parsed(body: bytes, *, is_whole: bool) -> None:
    """A body that is cut, and one with something behind it, are what they always are."""
    known = KnownHeads()
    next_response(known, KNOWN + b"ab")
    reader = next_response(known, KNOWN + body)
    assert reader.is_complete is is_whole
    assert not (reader.is_complete and reader.is_reusable)


def test_known_head_in_answer_to_head_has_no_body() -> None:
    """What GET taught is not used where the same bytes mean something else."""
    known = KnownHeads()
    next_response(known, KNOWN + b"ab")
    reader = next_response(known, KNOWN, is_head=True)
    assert reader.is_complete
    assert not reader.heads.popleft().has_body


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + KNOWN + b"ab",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_unusual_heads_are_not_learnt(raw: bytes) -> None:
    """Each is parsed anew, however often it comes."""
    known = KnownHeads()
    for _ in range(2):
        next_response(known, raw)
        assert known.find(raw) is None


def test_known_heads_are_bounded() -> None:
    """A date in every head must not fill the memory."""
    known = KnownHeads()
    raws = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: %d\r\n\r\nab" % n for n in range(1000)]
    for raw in raws:
        next_response(known, raw)
    assert sum(known.find(raw) is not None for raw in raws) <= 256
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: %b\r\n\r\nab" % (b"a" * 3000)
    next_response(known, huge)
    assert known.find(huge) is None
