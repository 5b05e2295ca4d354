"""What a client sends, cut where heads and bodies end."""

import random

import pytest

from sidecar.proxy.pieces import KEPT_BYTES, SHOWN_BYTES, Pieces

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
TEXT = b"I am a text\r\n\r\nof two parts"


def post(body: bytes, *, length: bytes | None = None, fields: bytes = b"") -> bytes:
    """Write a request with a body."""
    length = b"%d" % len(body) if length is None else length
    return b"POST / HTTP/1.1\r\ncontent-LENGTH: " + length + b"\r\n" + fields + b"\r\n" + body


def heads_of(*segments: bytes) -> list[bytes]:
    """Cut segments; return the whole heads that were found, and see that no byte is lost."""
    pieces, heads, seen = Pieces(), [], b""
    for segment in segments:
        data = segment
        while data:
            is_head = not pieces.is_whole or pieces.is_between()
            piece, data = pieces.cut(data)
            assert piece
            seen += piece
            if pieces.is_whole and is_head:
                heads.append(pieces.head)
    assert seen == b"".join(segments)
    return heads


@pytest.mark.parametrize(
    ("stream", "count"),
    [
        (GET, 1),
        (GET + GET, 2),
        (post(TEXT), 1),
        (post(TEXT) + GET, 2),
        (post(b"") + post(TEXT) + post(b"\r\n\r\n") + GET, 4),
        (GET + post(GET) + GET, 3),
        (post(TEXT, length=b" 27 \t"), 1),
        (post(TEXT, fields=b"X: " + b"x" * 2 * SHOWN_BYTES + b"\r\n") + GET, 2),
    ],
)
def test_heads_are_found_however_the_bytes_are_cut(stream: bytes, count: int) -> None:
    """What stands in a body is no head, whatever it looks like."""
    heads = heads_of(stream)
    assert len(heads) == count
    assert all(head.startswith((b"GET", b"POST")) for head in heads)
    assert heads_of(*(stream[at : at + 1] for at in range(len(stream)))) == heads
    chance = random.Random(7)  # noqa: S311 - nobody guesses where tests cut
    for _ in range(50):
        cuts = sorted(chance.randrange(len(stream)) for _ in range(3))
        bounds = zip([0, *cuts], [*cuts, len(stream)], strict=True)
        assert heads_of(*(stream[a:b] for a, b in bounds if a < b)) == heads


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(b"5\r\nhello\r\n0\r\n\r\n", length=b"5", fields=b"Transfer-Encoding: chunked\r\n"),
        post(TEXT, length=b"5, 5"),
        post(TEXT, length=b"+5"),
        post(TEXT, length=b"9" * 5000),
        post(TEXT, fields=b"X: " + b"x" * KEPT_BYTES + b"\r\n"),
    ],
)
def test_whatever_follows_an_unclear_head_is_taken_for_its_body(request_bytes: bytes) -> None:
    """Nothing else is read on the connection of a body in chunks, and the rest is refused."""
    heads = heads_of(request_bytes + GET + GET)
    assert len(heads) == 1
    assert len(heads[0]) <= SHOWN_BYTES


@pytest.mark.parametrize("segment", [b"", b"G", b"GET", b"\r\n\r", GET + b"G", post(b"x"), GET * 2])
def test_segment_that_is_more_or_less_than_a_head_is_not_taken_for_one(segment: bytes) -> None:
    """Only the commonest case is shortened."""
    pieces = Pieces()
    assert not pieces.take_only(segment)
    assert pieces.head == b""


def test_segment_that_is_a_head_is_taken_and_its_body_known_when_asked() -> None:
    """Of the two ways to cut, the short one leaves the same state."""
    pieces = Pieces()
    head = post(b"hello")[:-5]
    assert pieces.take_only(head)
    assert (pieces.head, pieces.is_whole) == (head, True)
    assert not pieces.is_between()
    assert pieces.cut(b"helloGET") == (b"hello", b"GET")
    assert pieces.is_between()


def test_head_that_has_begun_is_not_forgotten_for_a_whole_segment() -> None:
    """`GET / HTTP/1.1`, and then what looks like another head, are one head."""
    pieces = Pieces()
    pieces.cut(GET[:-2])
    assert not pieces.take_only(GET)


def test_lost_track_is_found_again_by_a_restart() -> None:
    """Until then nothing is taken for a head."""
    pieces = Pieces()
    pieces.lose_track()
    assert not pieces.is_between()
    assert pieces.cut(GET + GET) == (GET + GET, b"")
    pieces.restart()
    assert pieces.is_between()
