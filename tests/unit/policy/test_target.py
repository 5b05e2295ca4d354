"""Targets: the bytes forwarded are the bytes judged."""

import pytest

from sidecar.errors import RequestMalformed, TargetTooLarge
from sidecar.policy.target import MAX_TARGET_BYTES, Target, is_ambiguous, parse_target


@pytest.mark.parametrize("raw", ["/", "/a?b=c;d&?", "/%zz?%", "/a//b/../c", "/a?", "/\\"])
def test_target_passes_byte_for_byte(raw: str) -> None:
    """Nothing is normalised; the path ends at the first question mark."""
    assert parse_target("GET", raw) == Target(raw, raw.split("?", maxsplit=1)[0])


@pytest.mark.parametrize(
    "raw", ["", "a", "http://a/b", "//a#b", "/a#b", "/a b", "/a\tb", "/\x00", "/\x7f", "/é", "*"]
)
def test_target_in_another_form_is_refused(raw: str) -> None:
    """Absolute form, fragments, controls and what is not ASCII."""
    with pytest.raises(RequestMalformed):
        parse_target("GET", raw)


def test_asterisk_is_for_options_only() -> None:
    """`OPTIONS *` asks about the server as a whole."""
    assert parse_target("OPTIONS", "*") == Target("*", "*")
    assert is_ambiguous("*")


def test_target_has_a_limit() -> None:
    """One byte more than the limit is too much."""
    raw = "/" + "a" * (MAX_TARGET_BYTES - 1)
    assert parse_target("GET", raw).raw == raw
    with pytest.raises(TargetTooLarge):
        parse_target("GET", raw + "a")


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/", "/a.b/c-d_e~", "/a%20b", "/%C3%A9", "/a:@!$&'()*+,="]
)
def test_path_in_its_normal_spelling_is_clear(path: str) -> None:
    """What can be read in one way only."""
    assert not is_ambiguous(path)


@pytest.mark.parametrize(
    "path",
    [
        *("//", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/a.", "/a%2Fb", "/a%5Cb", "/a\\b"),
        *("/a;b", "/%61", "/%00", "/%zz", "/%c3%a9", "/%252e", "/a%20", "/%E0%80%AF", "/%FF"),
    ],
)
def test_path_with_two_readings_is_ambiguous(path: str) -> None:
    """What servers decode, collapse or cut off."""
    assert is_ambiguous(path)
