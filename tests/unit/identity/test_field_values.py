"""A header value gives back exactly what the claim said."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import ClaimInvalid
from sidecar.identity.field_values import MAX_VALUE_BYTES, encode_value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("worf", b"worf"),
        ("!", b"!"),
        ("LoginWithAmazon_amzn1.account.AFAEXAMPLE", b"LoginWithAmazon_amzn1.account.AFAEXAMPLE"),
        ("a b", b"a b"),
        ('a,b;c="d"', b'a,b;c="d"'),
        ("100%", b"100%"),
        ("%zz %4", b"%zz %4"),
        ("%41", b"%2541"),
        ("a%4fb", b"a%254fb"),
        ("%%41", b"%25%2541"),
        (" a", b"%20a"),
        ("a ", b"a%20"),
        ("é", b"%C3%A9"),
        ("a é", b"a%20%C3%A9"),
        ("é/~", b"%C3%A9%2F~"),
        ("\u2028x", b"%E2%80%A8x"),
        ("😀", b"%F0%9F%98%80"),
        ("a\u200bb", b"a%E2%80%8Bb"),
        (["admin", "a,b"], b'["admin","a,b"]'),
        (["é"], rb'["\u00e9"]'),
        (["%41"], b"%5B%22%2541%22%5D"),
        ([], b"[]"),
        ([""], b'[""]'),
        (True, b"true"),
        (False, b"false"),
        (0, b"0"),
        (-5, b"-5"),
        (1.5, b"1.5"),
    ],
)  # fmt: skip
def test_usable_value_is_encoded(value: object, expected: bytes) -> None:
    """Plain ASCII stands as it is, other text is percent-encoded, the rest is JSON."""
    assert encode_value("c", value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "\u00a0", "\u3000 ", "\t",
        "\r", "\n", "a\r\nX-Evil: 1", "a\0", "\x0b", "\x0c", "\x1c", "\x1f", "\x7f", "\x80", "\x85",
        "\x9f", "é\n", "\ud800", "a\udfff",
        ["\n"], ["a", "\x7f"], ["\ud800"], [1], [None], [["a"]], [{}], [True],
        {}, {"a": "b"}, None,
    ],
)  # fmt: skip
def test_unusable_value_is_refused(value: object) -> None:
    """Control characters, blanks, null, objects and mixed lists never become a header."""
    with pytest.raises(ClaimInvalid) as refused:
        encode_value("the:claim", value)
    assert refused.value.claim == "the:claim"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\n", "text that is not blank and has no control characters"),
        ([1], "a list of texts without control characters"),
        (None, "text, a list of texts, a number or a boolean"),
    ],
)
def test_refusal_says_what_was_expected(value: object, expected: str) -> None:
    """And nothing of the value."""
    with pytest.raises(ClaimInvalid) as refused:
        encode_value("c", value)
    assert refused.value.expected == expected


@pytest.mark.parametrize("is_text", [True, False])
def test_length_limit_is_that_of_the_encoded_value(is_text: bool) -> None:  # noqa: FBT001 - parametrized
    """What counts is what is sent: `é` is six bytes."""
    longest = "a" * MAX_VALUE_BYTES if is_text else ["a" * (MAX_VALUE_BYTES - 4)]
    longer = "a" * (MAX_VALUE_BYTES + 1) if is_text else ["a" * (MAX_VALUE_BYTES - 3)]
    assert len(encode_value("c", longest)) == MAX_VALUE_BYTES
    for value in (longer, "é" * (MAX_VALUE_BYTES // 6 + 1)):
        with pytest.raises(ClaimInvalid) as refused:
            encode_value("c", value)
        assert refused.value.claim == "c"
        assert refused.value.expected == f"at most {MAX_VALUE_BYTES} bytes as a header"


_CHARACTERS = st.characters(exclude_categories=("Cc", "Cs"))


@given(st.text(_CHARACTERS, min_size=1, max_size=40).filter(str.strip))
def test_encoded_text_unquotes_to_the_claim(text: str) -> None:
    """Whatever text gets through is given back exactly; so no two texts share a header value."""
    encoded = encode_value("c", text)
    assert unquote(encoded.decode("ascii"), errors="strict") == text
    assert encoded == encoded.strip()
    assert all(0x20 <= byte <= 0x7E for byte in encoded)


@given(st.lists(st.text(_CHARACTERS, max_size=10), max_size=4))
def test_encoded_list_unquotes_to_its_json(texts: list[str]) -> None:
    """A list comes back from the JSON that the unquoted header is."""
    encoded = encode_value("c", texts)
    assert json.loads(unquote(encoded.decode("ascii"))) == texts


@given(st.text(max_size=40))
def test_arbitrary_text_is_encoded_or_refused(text: str) -> None:
    """Nothing but our own error comes out, and nothing that is not printable ASCII."""
    try:
        encoded = encode_value("c", text)
    except ClaimInvalid:
        return
    assert unquote(encoded.decode("ascii"), errors="strict") == text
