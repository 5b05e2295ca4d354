"""Versions, methods, expectations, limits, upgrades, and several requests on one connection."""

import gzip
import time

import pytest

from tests.support import mint
from tests.support.attack import BEARER, MARK, NEXT, Carried, Refused, by_name, post, request
from tests.support.house import House, with_token
from tests.support.segments import WAYS
from tests.support.verdict import (
    NOBODY,
    PROVEN,
    assert_carried,
    assert_identity,
    assert_ours,
    assert_refused,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("strip", "optional", "require")

VERSIONS = [
    *(
        Refused(f"{version!r}", request(version=version), statuses=(400, 505))
        for version in (
            b"HTTP/0.9",
            b"HTTP/1.2",
            b"HTTP/1.9",
            b"HTTP/2.0",
            b"HTTP/2",
            b"HTTP/3.0",
            b"HTTP/9.9",
            b"HTTP/0.0",
            b"HTTP/1",
            b"HTTP/1.",
            b"HTTP/.1",
            b"HTTP/11",
            b"HTTP/1.10",
            b"HTTP/1.11",
            b"HTTP/01.1",
            b"HTTP/1.01",
            b"HTTP/10.1",
            b"HTTP/1.1.1",
            b"HTTP/1,1",
            b"HTTP/ 1.1",
            b"HTTP /1.1",
            b"HTTP/1 .1",
            b"HTTP/-1.1",
            b"HTTP/+1.1",
            b"HTTP/x.y",
            b"HTTP/1.\xb9",
            b"HTTP1.1",
            b"HTTP",
            b"http/1.1",
            b"Http/1.1",
            b"HTTPS/1.1",
            b"HTTQ/1.1",
            b"XTTP/1.1",
            b"RTSP/1.0",
            b"RTSP/1.1",
            b"ICE/1.0",
            b"ICE/1.1",
            b"SIP/2.0",
            b"ICY/1.1",
        )
    ),
    Refused("http-0.9-without-version", b"GET /%b\r\n\r\n" % MARK, statuses=(400, 505)),
    Refused("http-0.9-with-host", request(version=b"").replace(b" \r", b"\r"), statuses=(400, 505)),
    Refused(
        "http-2-preface",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        statuses=(400, 501, 505),
    ),
    Refused("rtsp-method", request(method=b"DESCRIBE", version=b"RTSP/1.0"), (400, 501, 505)),
    Refused("ice-source", request(method=b"SOURCE", version=b"ICE/1.0"), (400, 501, 505)),
]

METHODS = [
    *(
        Refused(f"{method!r}-{target!r}", request(method=method, target=target), (405, 501))
        for method, target in (
            (b"CONNECT", b"evil.example:443"),
            (b"CONNECT", b"127.0.0.1:4567"),
            (b"CONNECT", b"/" + MARK),
            (b"TRACE", b"/" + MARK),
            (b"TRACK", b"/" + MARK),
        )
    ),
    Refused("connect-without-port", request(method=b"CONNECT", target=b"evil.example"), (400, 405)),
    *(
        Refused(f"{method!r}", request(method=method), statuses=(405, 501))
        for method in (
            b"get",
            b"Get",
            b"GeT",
            b"post",
            b"options",
            b"FOO",
            b"GETT",
            b"GE",
            b"G",
            b"XGET",
            b"PROPFIND",
            b"MKCOL",
            b"LOCK",
            b"COPY",
            b"PURGE",
            b"BAN",
            b"DEBUG",
            b"INVOKE",
            b"M-SEARCH",
            b"NOTIFY",
            b"SUBSCRIBE",
            b"DESCRIBE",
            b"ANNOUNCE",
            b"SOURCE",
            b"QUERY",
            b"PRI",
            b"_GET",
            b"GET_",
            b"X-CUSTOM",
            b"!#$%&'*+-.^`|~",
            b"A" * 60,
        )
    ),
    *(
        Refused(f"malformed-{method!r}", request(method=method), statuses=(400, 501))
        for method in (b"G ET", b"GET\x00", b"GET\x01", b"G\xc3\x89T", b"GET:", b'"GET"', b"(GET)")
    ),
    *(
        Refused(f"asterisk-{method!r}", request(method=method, target=b"*"), (400, 405, 501))
        for method in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE")
    ),
]

EXPECTATIONS = [
    *(
        Refused(
            f"{value!r}",
            post(b"Expect: " + value, b"Content-Length: 5", body=b"hello"),
            statuses=(417,),
        )
        for value in (
            b"200-ok",
            b"100-continue, 200-ok",
            b"100-continue,100-continue",
            b"100-continue;q=1",
            b"100",
            b"continue",
            b"x",
            b'"100-continue"',
            b"100-continuex",
            b"",
        )
    ),
    Refused(
        "twice",
        post(*[b"Expect: 100-continue"] * 2, b"Content-Length: 5", body=b"hello"),
        statuses=(417,),
    ),
    Refused("without-a-body", request(b"Expect: 202-accepted"), statuses=(417,)),
]

LIMITS = [
    Refused("a-field-of-17-kib", request(b"X-A: " + b"a" * 17 * 1024), statuses=(431,)),
    Refused("a-name-of-17-kib", request(b"a" * 17 * 1024 + b": b"), statuses=(431,)),
    Refused("a-field-of-300-kib", request(b"X-A: " + b"a" * 300 * 1024), statuses=(431,)),
    Refused("129-fields", request(*[b"X-A: b"] * 128), statuses=(431,)),
    Refused("1000-fields", request(*[b"X-A%d: b" % i for i in range(1000)]), statuses=(431,)),
    Refused("a-cookie-of-17-kib", request(b"Cookie: a=" + b"a" * 17 * 1024), statuses=(431,)),
]

REFUSED = by_name(
    Refused(f"{kind}/{row.name}", row.request, row.statuses, row.reasons, row.closes)
    for kind, rows in (
        ("version", VERSIONS),
        ("method", METHODS),
        ("expect", EXPECTATIONS),
        ("limit", LIMITS),
    )
    for row in rows
)

H2C = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")
GONE = (b"upgrade", b"connection", b"http2-settings", b"keep-alive")
SQUEEZED = gzip.compress(b"\0" * 1_000_000)

CARRIED = by_name(
    [
        Carried("h2c", request(*H2C), lacks=GONE),
        Carried("h2c-without-settings", request(*H2C[:2]), lacks=GONE),
        Carried("upgrade-not-named", request(b"Upgrade: h2c"), lacks=GONE),
        Carried("upgrade-named-but-absent", request(b"Connection: Upgrade"), lacks=GONE),
        *(
            Carried(
                f"upgrade-{value.decode()}",
                request(b"Connection: Upgrade", b"Upgrade: " + value),
                lacks=GONE,
            )
            for value in (b"foo", b"TLS/1.0", b"HTTP/2.0", b"h2", b"connect-udp", b"h2c, foo")
        ),
        Carried(
            "upgrade-on-post-with-body",
            post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 5", body=b"hello"),
            method=b"POST",
            body=b"hello",
            lacks=GONE,
        ),
        Carried(
            "upgrade-on-post-with-chunks",
            post(*H2C, b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
            method=b"POST",
            body=b"hello",
            lacks=GONE,
        ),
        Carried(
            "websocket-named-on-post-with-body",
            post(
                b"Connection: Upgrade",
                b"Upgrade: websocket",
                b"Content-Length: 5",
                body=b"hello",
            ),
            method=b"POST",
            body=b"hello",
            lacks=GONE,
        ),
        Carried("options-asterisk", request(method=b"OPTIONS", target=b"*"), b"*", b"OPTIONS"),
        Carried("http-1.0-keep-alive-field", request(b"Keep-Alive: timeout=5, max=9"), lacks=GONE),
        Carried("16-kib-field", request(b"X-A: " + b"a" * (16 * 1024 - 100))),
        Carried("100-fields", request(*[b"X-A%d: b" % i for i in range(100)])),
        Carried(
            "gzip-body-is-not-inflated",
            post(
                b"Content-Encoding: gzip",
                b"Content-Length: %d" % len(SQUEEZED),
                body=SQUEEZED,
            ),
            method=b"POST",
            body=SQUEEZED,
            has=((b"Content-Encoding", b"gzip"),),
        ),
        *(
            Carried(
                f"{coding.decode()}-body-that-is-none",
                post(b"Content-Encoding: " + coding, b"Content-Length: 5", body=b"hello"),
                method=b"POST",
                body=b"hello",
                has=((b"Content-Encoding", coding),),
            )
            for coding in (b"gzip", b"deflate", b"br", b"zstd", b"x-unknown", b"gzip, gzip")
        ),
        Carried("accept-encoding", request(b"Accept-Encoding: gzip, br;q=0.5")),
        Carried("range", request(b"Range: bytes=0-1", b"If-Range: x")),
    ]
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", REFUSED)
async def test_request_that_is_not_carried_is_refused(house: House, name: str, way: str) -> None:
    """Another version, method or expectation, or too much of it: refused, closed, not forwarded."""
    attack = REFUSED[name]
    await assert_refused(house, "strip", attack, WAYS[way](attack.request))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", REFUSED)
async def test_token_makes_no_difference_to_what_is_refused(
    house: House, name: str, mode: str
) -> None:
    """A good token, and a request right behind, change nothing in any mode."""
    attack = REFUSED[name]
    raw = attack.request.replace(b"\r\n", b"\r\n" + BEARER + b"\r\n", 1)
    if b"PRI *" in raw or name.startswith("version/http-0.9"):
        raw = attack.request
    await assert_refused(house, mode, attack, [[with_token(house, raw) + NEXT]])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CARRIED)
async def test_request_is_carried_without_what_is_for_one_hop(
    house: House, name: str, way: str
) -> None:
    """Upgrades other than websocket end here; bodies pass as they are, compressed or not."""
    attack = CARRIED[name]
    await assert_carried(house, "strip", attack, WAYS[way](attack.request), NOBODY)


@pytest.mark.parametrize("name", CARRIED)
async def test_carried_request_keeps_its_caller(house: House, name: str) -> None:
    """The same with a token, where one is required."""
    attack = CARRIED[name]
    raw = attack.request.replace(b"\r\n", b"\r\n" + BEARER + b"\r\n", 1)
    await assert_carried(house, "require", attack, [[with_token(house, raw)]], PROVEN)


# --- several requests on one connection -----------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_pipelined_requests_are_judged_alone_and_answered_in_order(
    house: House, way: str
) -> None:
    """Three callers and nobody on one connection: each request carries its own caller."""
    subs = [f"{i:08}-bbbb-cccc-dddd-eeeeeeeeeeee" for i in range(3)]
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    tokens = [mint.mint(now=now, sub=sub, username=sub[:8]) for sub in subs]
    lines = [(b"Authorization: Bearer " + token,) for token in tokens]
    lines.insert(1, (b"X-Cognito-Sub: forged",))
    raw = b"".join(request(*line, target=b"/%d" % i) for i, line in enumerate(lines))
    for pieces in WAYS[way](raw):
        outcome = await house.send("strip", pieces, count=4)
        states = [answer.fields["x-cognito-auth"] for answer in outcome.answers]
        assert states == ["authenticated", "anonymous", "authenticated", "authenticated"]
        seen = sorted(outcome.seen, key=lambda request: request.target)
        assert [request.target for request in seen] == [b"/0", b"/1", b"/2", b"/3"]
        assert_identity(seen[1], NOBODY)
        for request_seen, sub in zip([seen[0], *seen[2:]], subs, strict=True):
            expected = {"HTTP_X_COGNITO_SUB": sub, "HTTP_X_COGNITO_USERNAME": sub[:8]}
            assert_identity(request_seen, {k: v.encode() for k, v in expected.items()})


BAD_SECONDS = {
    "no-token": request(target=b"/second"),
    "bad-token": request(b"Authorization: Bearer a.b.c", target=b"/second"),
    "forged": request(b"X-Cognito-Sub: forged", target=b"/second"),
    "garbage": b"\x00\x01\x02\r\n\r\n",
    "two-lengths": post(b"Content-Length: 0", b"Content-Length: 0"),
    "other-version": request(version=b"HTTP/3.0"),
    "absolute-form": request(target=b"http://evil.example/"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BAD_SECONDS)
async def test_bad_request_behind_a_good_one_gets_nothing_of_it(
    house: House, name: str, way: str
) -> None:
    """The first is served with its caller, the second refused; the second borrows nothing."""
    raw = with_token(house, request(BEARER, target=b"/first")) + BAD_SECONDS[name]
    for pieces in WAYS[way](raw):
        outcome = await house.send("require", pieces, count=2)
        assert outcome.answers[0].status == 200
        assert outcome.answers[1].status in (400, 401, 505)
        (seen,) = outcome.seen
        assert seen.target == b"/first"
        assert_identity(seen, PROVEN)


SMUGGLERS = {
    "body-of-a-get": request(
        BEARER, b"Content-Length: %LENGTH%", body=request(b"X-Cognito-Sub: forged", target=b"/in")
    ),
    "body-of-a-post": post(
        BEARER, b"Content-Length: %LENGTH%", body=request(b"X-Cognito-Sub: forged", target=b"/in")
    ),
    "body-of-a-delete": request(
        BEARER, b"Content-Length: %LENGTH%", method=b"DELETE", body=request(target=b"/in")
    ),
    "body-of-an-upgrade": request(
        BEARER,
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Content-Length: %LENGTH%",
        body=request(b"X-Cognito-Sub: forged", target=b"/in"),
    ),
    "body-of-an-h2c-upgrade": request(
        BEARER, *H2C, b"Content-Length: %LENGTH%", body=request(target=b"/in")
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SMUGGLERS)
async def test_request_in_a_body_stays_a_body(house: House, name: str, way: str) -> None:
    """What a length covers is a body at the backend too, byte for byte, and not a request."""
    head, end, body = with_token(house, SMUGGLERS[name]).partition(b"\r\n\r\n")
    raw = head.replace(b"%LENGTH%", b"%d" % len(body)) + end + body
    for pieces in WAYS[way](raw):
        outcome = await house.send("require", [*pieces, NEXT], count=2)
        first, *rest = outcome.answers
        assert first.status == 200
        assert [answer.status for answer in rest] == ([] if first.is_closing else [401])
        (seen,) = outcome.seen
        assert seen.body == body
        assert_identity(seen, PROVEN)


BEHIND_UPGRADES = {
    "h2c": request(BEARER, *H2C),
    "unknown": request(BEARER, b"Connection: Upgrade", b"Upgrade: foo"),
    "websocket-without-key": request(BEARER, b"Connection: Upgrade", b"Upgrade: websocket"),
    "websocket": request(
        BEARER,
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    "websocket-on-http-1.0": request(
        BEARER,
        b"Connection: Upgrade, keep-alive",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        version=b"HTTP/1.0",
    ),
    "connect": request(BEARER, method=b"CONNECT", target=b"site.example:80"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BEHIND_UPGRADES)
async def test_bytes_behind_a_declined_upgrade_are_a_request_of_nobody(
    house: House, name: str, way: str
) -> None:
    """The backend answers 200, not 101: what follows is a new request and authenticates anew."""
    raw = with_token(house, BEHIND_UPGRADES[name])
    behind = request(b"X-Cognito-Sub: forged", b"Connection: close", target=b"/behind")
    for pieces in WAYS[way](raw):
        outcome = await house.send("require", [*pieces[:-1], pieces[-1] + behind], count=None)
        assert outcome.conversation.is_closed
        assert outcome.answers[0].status in (200, 400, 405)
        assert [seen.target for seen in outcome.seen] in ([], [b"/" + MARK])
        assert [answer.status for answer in outcome.answers[1:]] in ([], [401])
        for seen in outcome.seen:
            assert_identity(seen, PROVEN)


# --- Expect: 100-continue -------------------------------------------------------------------------

EXPECT = (b"Expect: 100-continue", b"Content-Length: 5")


@pytest.mark.parametrize("mode", ["optional", "require"])
async def test_upload_without_a_right_gets_no_100(house: House, mode: str) -> None:
    """A bad token is answered 401 before the body is asked for."""
    raw = post(*EXPECT, b"Authorization: Bearer a.b.c")
    outcome = await house.send(mode, [raw], count=1)
    assert outcome.conversation.interim == []
    assert [answer.status for answer in outcome.answers] == [401]
    assert outcome.seen == []


async def test_upload_without_a_token_gets_no_100(house: House) -> None:
    """No token where one is required: 401 before the body is asked for, and the frame holds."""
    outcome = await house.send("require", [post(*EXPECT)], count=1)
    assert outcome.conversation.interim == []
    assert [answer.status for answer in outcome.answers] == [401]
    assert outcome.seen == []
    assert_ours(outcome.answers[0], outcome.conversation.received, post(*EXPECT))


async def test_refused_upload_is_not_taken_for_the_next_request(house: House) -> None:
    """Whether the client sends the refused body or not, nothing in it becomes a request."""
    inner = request(BEARER, target=b"/inner")
    raw = post(b"Expect: 100-continue", b"Content-Length: %LENGTH%")
    raw = with_token(house, raw.replace(b"%LENGTH%", b"%d" % len(with_token(house, inner))))
    outcome = await house.send("require", [raw, with_token(house, inner)], count=2, timeout_s=0.5)
    assert [answer.status for answer in outcome.answers] == [401]
    assert outcome.seen == []


@pytest.mark.parametrize("value", [b"100-continue", b"100-Continue", b"100-CONTINUE"])
async def test_upload_with_a_right_gets_one_100(house: House, value: bytes) -> None:
    """A good token: 100, then the backend's answer; the backend never sees `Expect`."""
    raw = with_token(house, post(b"Expect: " + value, b"Content-Length: 5", BEARER, body=b"hello"))
    outcome = await house.send("require", [raw], count=1)
    assert outcome.conversation.interim == [100]
    assert [answer.status for answer in outcome.answers] == [200]
    (seen,) = outcome.seen
    assert (seen.body, seen.values(b"expect")) == (b"hello", [])
    assert_identity(seen, PROVEN)


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
async def test_expectation_without_a_body_gets_no_100(house: House, version: bytes) -> None:
    """Nothing will follow, so nothing is asked for (RFC 9110 §10.1.1)."""
    raw = request(b"Expect: 100-continue", version=version)
    outcome = await house.send("strip", [raw], count=1)
    assert outcome.conversation.interim == []
    assert [answer.status for answer in outcome.answers] == [200]


async def test_http_1_0_client_gets_no_100(house: House) -> None:
    """HTTP/1.0 knows no interim responses (RFC 9110 §10.1.1)."""
    raw = post(*EXPECT, body=b"hello").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    outcome = await house.send("strip", [raw], count=1)
    assert outcome.conversation.interim == []
    assert [answer.status for answer in outcome.answers] == [200]
    assert outcome.seen[0].body == b"hello"


# --- the end of a connection ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "is_kept"),
    [
        (request(), True),
        (request(b"Connection: keep-alive"), True),
        (request(b"Connection: close"), False),
        (request(b"Connection: keep-alive, CLOSE"), False),
        (request(b"Connection: X-Hop", b"Connection: close"), False),
        (request(version=b"HTTP/1.0"), False),
    ],
    ids=["plain", "keep-alive", "close", "both", "second-field", "http-1.0"],
)
async def test_connection_stays_or_ends_as_the_client_asked(
    house: House, raw: bytes, *, is_kept: bool
) -> None:
    """`close` wins over `keep-alive`; HTTP/1.0 closes; what follows a close is not served."""
    outcome = await house.send("strip", [raw + NEXT], count=2 if is_kept else None)
    assert len(outcome.answers) == (2 if is_kept else 1)
    assert len(outcome.seen) == (2 if is_kept else 1)
    assert outcome.conversation.is_closed is not is_kept


@pytest.mark.parametrize("cut", [1, 10, 40, -1])
async def test_client_that_leaves_within_a_head_leaves_no_trace(house: House, cut: int) -> None:
    """Half a head reaches no backend."""
    raw = with_token(house, request(BEARER))[:cut]
    outcome = await house.send("strip", [raw], count=1, timeout_s=0.05)
    assert outcome.answers == []
    assert outcome.seen == []
