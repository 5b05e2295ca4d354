"""Strip, then inject."""

import pytest

from sidecar.errors import FieldsTooLarge, HeaderInvalid
from sidecar.model import Anonymous, Field, Identity, RequestRecord
from sidecar.proxy import headers, heads, response_headers
from sidecar.proxy.headers import Hop

OWNED = frozenset({b"x-cognito-sub", b"x-who"})
HOST: Field = (b"Host", b"a.example")
HOP = Hop(b"192.0.2.1", is_trusted=False, request_id=b"id-1")
CALLER = Identity(
    fields=((b"X-Cognito-Sub", b"proven"),),
    groups=frozenset(),
    scopes=frozenset(),
    token_use="access",
    pool_id="p",
    kid="k",
    expires_at=0,
)


def sent(
    *fields: Field, caller: Identity | Anonymous = CALLER, forward: bool = True
) -> list[Field]:
    """Return what the backend gets for a client's fields."""
    return headers.inject(headers.strip([HOST, *fields], OWNED), caller, HOP, forward_token=forward)


def names(fields: list[Field]) -> list[bytes]:
    """Return names only."""
    return [name for name, _ in fields]


@pytest.mark.parametrize(
    "name",
    [
        *(b"X-Cognito-Sub", b"x-cognito-sub", b"X-COGNITO-ANYTHING", b"X-Who", b"X_Cognito_Sub"),
        *(b"SCRIPT_NAME", b"X.Cognito.Sub", b"X-Cognito.Sub", b"X~Who", b"Content.Length"),
        *(b"X-Forwarded.For", b"TE", b"Keep-Alive", b"Proxy-Authorization", b"HTTP2-Settings"),
    ],
)
def test_name_that_is_not_the_clients_is_removed(name: bytes) -> None:
    """In any spelling that some server folds into it."""
    client = headers.strip([HOST, (name, b"forged")], OWNED)
    assert client.kept == []
    assert [v for _, v in sent((name, b"forged"))].count(b"forged") == 0


def test_identity_comes_after_the_clients_fields() -> None:
    """Once, and as the token says."""
    fields = sent((b"X-Cognito-Sub", b"forged"), (b"Accept", b"*/*"), (b"Accept", b"a/b"))
    assert fields == [
        HOST,
        (b"Accept", b"*/*"),
        (b"Accept", b"a/b"),
        (b"X-Cognito-Sub", b"proven"),
        (b"X-Forwarded-For", b"192.0.2.1"),
        (b"X-Forwarded-Proto", b"http"),
        (b"X-Forwarded-Host", b"a.example"),
        (b"X-Request-Id", b"id-1"),
    ]


def test_nobody_gets_no_identity() -> None:
    """An anonymous request carries none."""
    assert b"X-Cognito-Sub" not in names(sent((b"X-Cognito-Sub", b"x"), caller=Anonymous()))


def test_connection_names_fields_of_this_hop() -> None:
    """They are removed; identity, injected later, is not."""
    fields = sent((b"Connection", b"X-Hop, close, X-Cognito-Sub"), (b"X-Hop", b"1"))
    assert b"X-Hop" not in names(fields)
    assert (b"X-Cognito-Sub", b"proven") in fields


@pytest.mark.parametrize("name", [b"Host", b"content-length", b"Transfer-Encoding"])
def test_connection_that_names_framing_is_refused(name: bytes) -> None:
    """It would leave two servers with two requests."""
    with pytest.raises(HeaderInvalid):
        headers.strip([HOST, (b"Connection", name)], OWNED)


@pytest.mark.parametrize(
    ("value", "caller", "forward", "expected"),
    [
        (b"Bearer abc", CALLER, True, True),
        (b"Bearer abc", CALLER, False, False),
        (b"Bearer abc", Anonymous("token_expired"), True, False),
        (b"Basic abc", Anonymous(), True, True),
        (b"Basic abc", CALLER, False, True),
    ],
)
def test_token_travels_only_if_it_proved_somebody(
    value: bytes,
    caller: Identity | Anonymous,
    forward: bool,  # noqa: FBT001 - a table
    expected: bool,  # noqa: FBT001 - a table
) -> None:
    """Other schemes are not ours."""
    fields = sent((b"Authorization", value), caller=caller, forward=forward)
    assert ((b"Authorization", value) in fields) is expected


def test_untrusted_peers_forwarded_fields_are_overwritten() -> None:
    """Nobody says of himself where he comes from."""
    fields = sent(
        (b"X-Forwarded-For", b"10.0.0.1"), (b"X-Forwarded-Prefix", b"/x"), (b"Forwarded", b"for=x")
    )
    assert fields.count((b"X-Forwarded-For", b"192.0.2.1")) == 1
    assert b"10.0.0.1" not in [value for _, value in fields]
    assert b"X-Forwarded-Prefix" not in names(fields)


def test_trusted_peers_forwarded_fields_are_extended() -> None:
    """What is missing is added."""
    client = headers.strip(
        [HOST, (b"X-Forwarded-For", b"10.0.0.1"), (b"X-Forwarded-Proto", b"https")], OWNED
    )
    trusted = Hop(b"192.0.2.1", is_trusted=True, request_id=b"id-1")
    fields = headers.inject(client, CALLER, trusted, forward_token=True)
    assert (b"X-Forwarded-For", b"10.0.0.1, 192.0.2.1") in fields
    assert (b"X-Forwarded-Proto", b"https") in fields
    assert (b"X-Forwarded-Host", b"a.example") in fields


@pytest.mark.parametrize("is_trusted", [False, True])
def test_peer_of_a_unix_socket_has_no_address(is_trusted: bool) -> None:  # noqa: FBT001 - a table
    """Nothing is invented."""
    client = headers.strip([HOST], OWNED)
    fields = headers.inject(client, CALLER, Hop(b"", is_trusted, b"id-1"), forward_token=True)
    assert b"X-Forwarded-For" not in names(fields)


@pytest.mark.parametrize("value", [b"a\r\nX-Cognito-Sub: forged", b"a\nb", b"a\rb", b"a\0b"])
def test_field_with_a_break_is_never_written(value: bytes) -> None:
    """Whatever a parser in front let through."""
    with pytest.raises(HeaderInvalid):
        heads.serialise(b"GET / HTTP/1.1", [(b"X-A", value)])


def test_head_is_written_without_its_empty_line() -> None:
    """Start line and fields."""
    head = heads.serialise(heads.status_line(404), [(b"A", b"b")])
    assert head == b"HTTP/1.1 404 Not Found\r\nA: b\r\n"
    assert heads.status_line(299, b"") == b"HTTP/1.1 299 "


def test_response_loses_what_is_for_one_hop() -> None:
    """Order and duplicates stay, and a length, which is told apart too."""
    fields = [
        (b"Set-Cookie", b"a"),
        (b"Connection", b"X-Hop, Content-Length"),
        (b"X-Hop", b"1"),
        (b"Content-Length", b"2"),
        (b"x-cognito-auth", b"forged"),
        (b"Set-Cookie", b"b"),
    ]
    kept, framing = response_headers.strip_response(fields)
    assert kept == [(b"Set-Cookie", b"a"), (b"Content-Length", b"2"), (b"Set-Cookie", b"b")]
    assert framing[b"content-length"] == [b"2"]
    assert response_headers.strip_response([(b"Transfer-Encoding", b"chunked")]) == (
        [],
        {b"transfer-encoding": [b"chunked"]},
    )


def test_head_is_extended_by_fields_without_breaks_only() -> None:
    """What is added is held to the same rule as what was there."""
    head = heads.serialise(b"HTTP/1.1 200 OK", [(b"A", b"b")])
    assert heads.extend(head, [(b"C", b"d")]) == b"HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n"
    with pytest.raises(HeaderInvalid):
        heads.extend(head, [(b"C", b"d\r\nX-Cognito-Sub: forged")])


def test_made_up_names_are_judged_however_many_there_are() -> None:
    """What is learnt about names is bounded; what is not learnt is judged every time."""
    for n in range(3000):
        made_up = (b"X-Made-Up-%d" % n, b"1")
        forged = (b"X-Cognito-%d" % n, b"forged")
        assert headers.strip([HOST, made_up, forged], OWNED).kept == [made_up]


@pytest.mark.parametrize(
    ("caller", "reason", "expected"),
    [
        (CALLER, "", b"authenticated"),
        (CALLER, "group_missing", b"authenticated; reason=group_missing"),
        (Anonymous(), "", b"anonymous"),
        (Anonymous("token_expired"), "", b"anonymous; reason=token_expired"),
        (Anonymous(), "token_missing", b"anonymous; reason=token_missing"),
    ],
)
def test_every_response_tells_what_became_of_the_token(
    caller: Identity | Anonymous, reason: str, expected: bytes
) -> None:
    """And the id of its request."""
    told = response_headers.tell(caller, b"id-1", reason)
    assert told == ((b"X-Cognito-Auth", expected), (b"X-Request-Id", b"id-1"))


def test_fields_have_a_size() -> None:
    """Names and values of all together."""
    headers.check_size([(b"ab", b"cd"), (b"e", b"")], 5)
    with pytest.raises(FieldsTooLarge):
        headers.check_size([(b"ab", b"cd"), (b"e", b"f")], 5)


@pytest.mark.parametrize("offered", [[b"a b"], [b""], [b"a" * 129], [b"a", b"b"], []])
def test_odd_request_id_is_replaced(offered: list[bytes]) -> None:
    """One sane value is kept."""
    assert headers.choose_request_id(offered, b"ours") == b"ours"
    assert headers.choose_request_id([b"Theirs-1._"], b"ours") == b"Theirs-1._"


def test_trace_id_is_read_and_the_field_travels() -> None:
    """W3C Trace Context; nonsense has none."""
    value = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    client = headers.strip([HOST, (b"traceparent", value)], OWNED)
    record = RequestRecord("GET", 0.0)
    headers.note_trace(b"00-0-0-01", record)
    assert record.trace_id == ""
    headers.note_trace(client.traceparent, record)
    assert record.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert client.has_kept(b"traceparent")
    assert not client.has_kept(b"tracestate")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"authorization", True),
        (b"x-request-id", True),
        (b"x-forwarded-for", True),
        (b"x-a", False),
    ],
)
def test_reserved_name_cannot_be_mapped(name: bytes, expected: bool) -> None:  # noqa: FBT001 - a table
    """What the proxy judges or makes itself."""
    assert headers.is_reserved(name) is expected
