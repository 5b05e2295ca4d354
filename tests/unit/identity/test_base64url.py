"""Base64url has one spelling for each sequence of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.identity import base64url


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        (b"", b""),
        (b"AA", b"\0"),
        (b"AAA", b"\0\0"),
        (b"AAAA", b"\0\0\0"),
        (b"AAAX", b"\0\0\x17"),
        (b"-_-_", b"\xfb\xff\xbf"),
        (b"_w", b"\xff"),
        (b"A-z_", b"\x03\xec\xff"),  # RFC 7515 appendix C alphabet
        (b"A-z_4ME", b"\x03\xec\xff\xe0\xc1"),  # RFC 7515 appendix C
    ],
)
def test_canonical_text_decodes(text: bytes, raw: bytes) -> None:
    """The canonical spelling is read, and written again."""
    assert base64url.decode(text) == raw
    assert base64url.encode(raw) == text


@pytest.mark.parametrize(
    "text",
    [
        b"A",
        b"AAAAA",
        b"AA=",
        b"AA==",
        b"AAA=",
        b"AAAA=",
        b"AAAA====",
        b"=",
        b"====",
        b"AA=A",
        b"+_-_",
        b"-/-_",
        b"-_+/",
        b"AB",  # bits left over
        b"AAB",
        b"_x",
        b" AAAA",
        b"AAAA ",
        b"AAAA\n",
        b"AA\r\nAA",
        b"AA.A",
        b"AA!A",
        b"AA\0A",
        b"\xc3\xa9AA",
        b"AAA\xff",
        b"AAAA%3D",
    ],
)
def test_other_spelling_is_refused(text: bytes) -> None:
    """Padding, foreign characters, white space and bits left over are refused."""
    with pytest.raises(ValueError, match=r"."):
        base64url.decode(text)


def test_refusal_says_what_was_expected() -> None:
    """And nothing of the text."""
    with pytest.raises(ValueError, match=r"^not canonical base64url$"):
        base64url.decode(b"AB")


@given(st.binary(max_size=80))
def test_every_byte_string_has_a_spelling(raw: bytes) -> None:
    """What is encoded decodes to itself."""
    assert base64url.decode(base64url.encode(raw)) == raw


_NEARLY = st.lists(st.sampled_from(b"AQgwEYz019-_+/= \n.\x80"), max_size=12).map(bytes)


@given(_NEARLY)
def test_no_byte_string_has_two_spellings(text: bytes) -> None:
    """What decodes is exactly what encoding gives back."""
    try:
        raw = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(raw) == text
