import pytest
from werkzeug.datastructures import Headers

from backend.errors import SignInRequired
from backend.identity import Author, Caller, author_of, caller_of


def test_caller_both_headers_are_read() -> None:
    """Sub and username are what the headers say."""
    headers = Headers({"X-Cognito-Sub": "s-1", "X-Cognito-Username": "bashir"})
    assert caller_of(headers) == Caller(sub="s-1", username="bashir")


@pytest.mark.parametrize("headers", [{}, {"X-Cognito-Sub": "", "X-Cognito-Username": ""}])
def test_caller_absent_or_blank_headers_mean_anonymous(headers: dict[str, str]) -> None:
    """A blank header identifies nobody."""
    caller = caller_of(Headers(headers))
    assert caller == Caller(sub=None, username=None)
    assert not caller.is_signed_in


def test_caller_username_without_sub_is_not_signed_in() -> None:
    """A name alone vouches for nobody."""
    assert not caller_of(Headers({"X-Cognito-Username": "bashir"})).is_signed_in


def test_caller_other_identity_headers_are_ignored() -> None:
    """Nothing but the two headers says who is calling."""
    headers = Headers({"Authorization": "Bearer x", "X-User": "odo", "Cookie": "user=odo"})
    assert caller_of(headers) == Caller(sub=None, username=None)


@pytest.mark.parametrize(
    ("header", "username"),
    [
        ("J%C3%BCrgen", "Jürgen"),
        ("100%25%20%C3%A9t%C3%A9", "100% été"),
        ("50%", "50%"),
        ("%25C3%25A9", "%C3%A9"),
        ("a b+c", "a b+c"),
        ("%FF%FE", "%FF%FE"),
        ("%ED%A0%80", "%ED%A0%80"),
    ],
    ids=["accent", "mixed", "percent", "looks-encoded", "space-plus", "not-utf8", "surrogate"],
)
def test_username_encoded_by_the_sidecar_is_decoded(header: str, username: str) -> None:
    """Every name comes out as the token had it; what does not decode stands as it is."""
    assert caller_of(Headers({"X-Cognito-Username": header})).username == username


@pytest.mark.parametrize(("username", "handle"), [("bashir", "bashir"), (None, "s-1")])
def test_author_handle_is_username_or_sub(username: str | None, handle: str) -> None:
    """A machine, which has no username, is shown by its sub."""
    assert author_of(Caller(sub="s-1", username=username)) == Author(sub="s-1", handle=handle)


def test_author_anonymous_is_refused() -> None:
    """Nobody becomes an author without a sub."""
    with pytest.raises(SignInRequired) as refusal:
        author_of(Caller(sub=None, username="bashir"))
    assert refusal.value.status == 401
