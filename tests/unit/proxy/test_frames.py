"""Where frames begin and end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.proxy.frames import FrameScanner, MessageTooLarge, close_frame


def frame(payload: bytes, opcode: int = 2, *, is_final: bool = True, mask: bytes = b"") -> bytes:
    """Write one frame."""
    length = len(payload)
    short = length if length < 126 else 126 if length < 1 << 16 else 127
    head = bytes(((0x80 if is_final else 0) | opcode, (0x80 if mask else 0) | short))
    extended = b"" if short < 126 else length.to_bytes(2 if short == 126 else 8)
    return head + extended + mask + payload


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from([0, 1, 125, 126, 127, 65535, 65536]), min_size=1, max_size=5),
    st.integers(min_value=1, max_value=70000),
    st.booleans(),
)
def test_boundary_is_found_however_the_bytes_are_cut(
    lengths: list[int],
    step: int,
    is_masked: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    """The last piece ends with a frame, whatever the pieces were."""
    mask = b"mask" if is_masked else b""
    raw = b"".join(frame(bytes(length), mask=mask) for length in lengths)
    scanner = FrameScanner(1 << 20)
    for start in range(0, len(raw), step):
        piece = raw[start : start + step]
        boundary = scanner.feed(piece)
        assert (boundary == len(piece)) is scanner.is_at_boundary
    assert scanner.is_at_boundary


def test_boundary_inside_a_piece_is_reported() -> None:
    """A close frame may be put in after these bytes."""
    scanner = FrameScanner(100)
    whole = frame(b"abc")
    assert scanner.feed(whole + frame(b"defg")[:3]) == len(whole)
    assert not scanner.is_at_boundary


def test_message_at_the_limit_passes_and_one_above_does_not() -> None:
    """The limit is one of messages: control frames in between do not count."""
    scanner = FrameScanner(10)
    scanner.feed(frame(b"12345", is_final=False) + frame(b"ping", 9) + frame(b"67890", 0))
    scanner.feed(frame(b"0123456789"))
    scanner.feed(frame(b"12345", is_final=False))
    with pytest.raises(MessageTooLarge):
        scanner.feed(frame(b"678901", 0))


def test_closing_frame_is_noticed() -> None:
    """So that nobody waits for a second one."""
    scanner = FrameScanner(10)
    scanner.feed(frame(b"x"))
    assert not scanner.has_closed
    scanner.feed(close_frame(1000))
    assert scanner.has_closed


def test_closing_frame_carries_its_code() -> None:
    """Plain to a client, masked to a server."""
    assert close_frame(4401) == b"\x88\x02\x11\x31"
    assert close_frame(4401, b"\x01\x02\x03\x04") == b"\x88\x82\x01\x02\x03\x04\x10\x33"
