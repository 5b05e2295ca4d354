"""Where heads end in what a client sent at once."""

import pytest

from sidecar.proxy.segment import cut_end, end_of_head, end_of_only_head

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (GET, len(GET)),
        (POST + b"hello", len(POST)),
        (POST, len(POST)),
        (POST.replace(b"Content-Length", b"CONTENT-length") + b"hello", len(POST)),
    ],
)
def test_segment_that_is_one_request_has_its_only_head_found(data: bytes, end: int) -> None:
    """With its whole body, or with nothing behind the head."""
    assert end_of_only_head(data, 1000) == end


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GET[:-1],
        GET + GET,
        POST + b"hell",
        POST + b"hello" + GET,
        POST.replace(b"5", b"05") + b"hello",
        POST.replace(b"5", b"5, 5") + b"hello",
        POST.replace(b"Content-Length", b"X-Content-Length") + b"hello",
        POST[:-2] + b"Content-Length: 5\r\n\r\nhello",
        POST[:-2] + b"Transfer-Encoding: chunked\r\n\r\nhello",
        POST.replace(b"Host: x", b"Transfer-Encoding: chunked") + b"hello",
    ],
)
def test_segment_that_may_be_more_or_less_is_looked_at_more_closely(data: bytes) -> None:
    """Whatever is not said once, in so many words."""
    assert end_of_only_head(data, 1000) == 0


def test_head_above_the_limit_is_not_looked_for() -> None:
    """The bytes kept for wording an error are bounded."""
    assert end_of_only_head(GET, len(GET)) == len(GET)
    assert end_of_only_head(GET, len(GET) - 1) == 0


@pytest.mark.parametrize("cut", range(1, len(GET)))
def test_end_of_a_head_is_found_wherever_it_is_cut(cut: int) -> None:
    """Also between the four bytes that end it."""
    before = b""
    found = []
    for piece in (GET[:cut], GET[cut:] + b"rest"):
        found.append(end_of_head(before, piece))
        before = cut_end(before, piece)
    assert found == [0, len(GET) - cut]
