"""JSON that two readers could read differently is refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.identity.strict_json import MAX_DEPTH, MAX_INTEGER_DIGITS, parse_object
from tests.support.cost import costs_less


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b"{}", {}),
        (b' \t\r\n{ "a" : 1 } \t\r\n', {"a": 1}),
        (
            b'{"a":[1,-2.5,1e3,true,false,null,"x",{}]}',
            {"a": [1, -2.5, 1e3, True, False, None, "x", {}]},
        ),
        ('{"é":"ü"}'.encode(), {"é": "ü"}),
        (rb'{"a":"\u00e9\ud83d\ude00"}', {"a": "é😀"}),
        (rb'{"a":{"b":1},"b":{"b":2}}', {"a": {"b": 1}, "b": {"b": 2}}),
        (b'{"a":9999999999999999999}', {"a": 9_999_999_999_999_999_999}),
        (b'{"a":-9999999999999999999}', {"a": -9_999_999_999_999_999_999}),
        (b'{"a":"[[[[[[[[[[ {{{{{{{{{{ \\" [[["}', {"a": '[[[[[[[[[[ {{{{{{{{{{ " [[['}),
        (b'{"a":"\\\\","b":[[[[[[[]]]]]]]}', {"a": "\\", "b": [[[[[[[]]]]]]]}),
        (b'{"":0}', {"": 0}),
    ],
)
def test_strict_object_is_read(document: bytes, value: object) -> None:
    """What has one meaning is read."""
    assert parse_object(document) == value


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b" ", id="white-space"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"{}"', id="text"),
        pytest.param(b"1", id="number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{", id="unfinished"),
        pytest.param(b"{}{}", id="two-objects"),
        pytest.param(b"{} x", id="something-after"),
        pytest.param(b"x{}", id="something-before"),
        pytest.param(b"\x0b{}", id="vertical-tab-before"),
        pytest.param("\u00a0{}".encode(), id="no-break-space-before"),
        pytest.param(b"{}\0", id="nul-after"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte-order-mark"),
        pytest.param("{}".encode("utf-16"), id="utf-16"),
        pytest.param("{}".encode("utf-32-le"), id="utf-32"),
        pytest.param(b'{"a":"\xff"}', id="not-utf-8"),
        pytest.param(b'{"a":"\xc0\x80"}', id="overlong-utf-8"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', id="surrogate-in-utf-8"),
        pytest.param(rb'{"a":"\ud800"}', id="lone-high-surrogate"),
        pytest.param(rb'{"a":"\udc00\ud800"}', id="surrogates-in-wrong-order"),
        pytest.param(rb'{"\uDFFF":1}', id="lone-surrogate-in-a-name"),
        pytest.param(rb'{"a":[{"b":["\ud800"]}]}', id="lone-surrogate-deep-down"),
        pytest.param(b'{"a":"\n"}', id="control-character"),
        pytest.param(b'{"a":1,"a":1}', id="duplicate-name"),
        pytest.param(rb'{"a":1,"\u0061":2}', id="duplicate-name-escaped"),
        pytest.param(b'{"b":{"a":1,"a":2}}', id="duplicate-name-inside"),
        pytest.param(b'{"b":[[{"a":1,"a":2}]]}', id="duplicate-name-in-arrays"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":Infinity}', id="Infinity"),
        pytest.param(b'{"a":-Infinity}', id="minus-Infinity"),
        pytest.param(b'{"a":1e400}', id="overflow"),
        pytest.param(b'{"a":-1e400}', id="overflow-below"),
        pytest.param(b'{"a":1' + b"0" * MAX_INTEGER_DIGITS + b"}", id="integer-too-long"),
        pytest.param(b'{"a":-1' + b"0" * MAX_INTEGER_DIGITS + b"}", id="negative-too-long"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="integer-of-5000-digits"),
        pytest.param(b'{"a":01}', id="leading-zero"),
        pytest.param(b'{"a":+1}', id="plus-sign"),
        pytest.param(b'{"a":.5}', id="no-digit-before-the-point"),
        pytest.param(b'{"a":0x10}', id="hexadecimal"),
        pytest.param('{"a":\u0661}'.encode(), id="arabic-digit"),
        pytest.param(b"{'a':1}", id="single-quotes"),
        pytest.param(b'{"a":1,}', id="trailing-comma"),
        pytest.param(b'{"a":1}//x', id="comment"),
        pytest.param(b'{"a":True}', id="Python-constant"),
        pytest.param(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", id="too-deep"),
        pytest.param(b'{"a":' * 9 + b"1" + b"}" * 9, id="objects-too-deep"),
        pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="100000-deep"),
        pytest.param(b"[" * 100_000, id="100000-open"),
        pytest.param(b'{"a":' + b"[" * 9 + b'"]]]]]]]]]"}', id="closed-inside-a-string"),
    ],
)  # fmt: skip
def test_ambiguous_document_is_refused(document: bytes) -> None:
    """What is no JSON object, or could be read in two ways, is a ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        parse_object(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"[]", "not one JSON object"),
        (b"{}x", "not one JSON object"),
        (b'{"a":1,"a":1}', "duplicate name"),
        (b'{"a":NaN}', "NaN and Infinity are not JSON"),
        (b'{"a":1e400}', "number too large"),
        (b'{"a":' + b"9" * 20 + b"}", "integer too long"),
        (b"[" * 9, "nested too deeply, or unbalanced"),
    ],
)
def test_refusal_says_what_is_wrong(document: bytes, message: str) -> None:
    """In our words, which quote nothing."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse_object(document)


def test_depth_limit_reached_is_read() -> None:
    """As many levels as allowed are read, brackets and braces alike."""
    inner = b'{"a":[' * (MAX_DEPTH // 2) + b"]}" * (MAX_DEPTH // 2)
    assert parse_object(inner)
    assert parse_object(inner + b" ", max_depth=MAX_DEPTH)
    with pytest.raises(ValueError, match="nested"):
        parse_object(inner, max_depth=MAX_DEPTH - 1)


def test_many_shallow_brackets_are_read() -> None:
    """The limit is on levels, not on their number."""
    assert parse_object(b'{"a":[' + b"[],{}," * 50 + b"[]]}")


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"a":[[[[[[[[["' + rb"\"" * 3000,
        b'{"a":[[[[[[[[["' + rb"\"" * 3000 + b"\\",
        b"[[[[[[[[[" + b'""' * 3000,
        b"[[[[[[[[[" + b'"' * 6001,
        b"[]" * 3000,
        b"[{" * 3000,
    ],
)
def test_hostile_brackets_cost_less_than_a_millisecond(hostile: bytes) -> None:
    """Escaped quotes without end once took 100 ms: each was tried as the start of a string."""

    def work() -> None:
        with pytest.raises(ValueError, match=r"."):
            parse_object(hostile)

    assert costs_less(0.001, work)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(), _JSON, max_size=4), st.booleans())
def test_written_object_is_read_back(value: dict[str, object], is_ascii: bool) -> None:  # noqa: FBT001 - hypothesis passes it
    """Parsing is the inverse of writing, for every object within the depth limit."""
    document = json.dumps(value, ensure_ascii=is_ascii).encode()
    assert parse_object(document, max_depth=100) == value


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_nothing_but_value_errors(document: bytes) -> None:
    """No bytes lead to another exception than ValueError."""
    with contextlib.suppress(ValueError):
        assert isinstance(parse_object(document), dict)
