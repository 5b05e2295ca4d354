"""Identity fields: the backend sees what a token proved, once, and nothing a client said of itself.

Every received name is folded the way WSGI folds it before it is judged.
"""

import time
import urllib.parse
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.support import mint
from tests.support.attack import BEARER, MARK, TOKEN, Carried, Refused, by_name, request
from tests.support.house import House, open_house, with_token
from tests.support.segments import WAYS
from tests.support.verdict import NOBODY, PROVEN, assert_carried, assert_identity, assert_refused
from tests.support.wire import fold

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("strip", "optional", "require")
SUB = b"X-Cognito-Sub: forged"
NAME = b"X-Cognito-Username: forged"

ORIGIN = b"Origin: https://site.example"
PREFLIGHT = (ORIGIN, b"Access-Control-Request-Method: POST")
HANDSHAKE = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def said(name: str, *lines: bytes, lacks: tuple[bytes, ...] = ()) -> Carried:
    """Write a GET that says these things of itself."""
    return Carried(name, request(*lines), lacks=lacks)


FORGERIES = by_name(
    [
        said("sub", SUB),
        said("username", NAME),
        said("both", SUB, NAME),
        *(
            said(f"spelt-{name.decode()}", name + b": forged")
            for name in (
                b"x-cognito-sub",
                b"X-COGNITO-SUB",
                b"x-CoGnItO-sUb",
                b"X_Cognito_Sub",
                b"X-Cognito_Sub",
                b"X_Cognito-Sub",
                b"x_cognito_sub",
                b"X_COGNITO_USERNAME",
                b"X-Cognito_Username",
                b"X-Cognito-Groups",
                b"X-Cognito-Email",
                b"X-Cognito-Scope",
                b"X-Cognito-",
                b"X-Cognito-Sub-",
                b"X.Cognito.Sub",
                b"X-Cognito.Sub",
                b"X%Cognito%Sub",
                b"X~Cognito~Username",
                b"x!cognito!sub",
                b"X|Cognito-Username",
                b"X-Cognito-Auth",
                b"X_Cognito_Auth",
            )
        ),
        said("sub-twice", SUB, SUB),
        said("sub-twice-other-values", SUB, b"X-Cognito-Sub: other"),
        said("sub-five-spellings", SUB, b"x-cognito-sub: a", b"X_Cognito_Sub: b", NAME, SUB),
        said("sub-empty", b"X-Cognito-Sub:"),
        said("sub-blank", b"X-Cognito-Sub: \t "),
        said("sub-of-high-bytes", b"X-Cognito-Sub: \xff\xfe"),
        said("sub-without-space", b"X-Cognito-Sub:forged"),
        *(
            said(f"wsgi-name-{name.decode()}", name + b": /public", lacks=(name.lower(),))
            for name in (
                b"SCRIPT_NAME",
                b"Script_Name",
                b"PATH_INFO",
                b"REMOTE_USER",
                b"REMOTE_ADDR",
                b"SERVER_NAME",
                b"HTTP_X_COGNITO_SUB",
                b"HTTP_HOST",
                b"Content_Length",
                b"Content_Type",
                b"Transfer_Encoding",
                b"wsgi_url_scheme",
                b"X_Forwarded_For",
                b"X_Request_Id",
                b"_",
                b"__",
                b"_X-A",
                b"X-A_",
            )
        ),
        said("connection-names-sub", b"Connection: X-Cognito-Sub", SUB),
        said("connection-names-both", b"Connection: X-Cognito-Sub, X-Cognito-Username"),
        said("connection-names-ours-twice", *[b"Connection: x-cognito-sub, close-not"] * 2),
        said("connection-names-a-field", b"Connection: X-Hop", b"X-Hop: 1", lacks=(b"x-hop",)),
        said("connection-names-other-case", b"Connection: x-HOP", b"X-Hop: 1", lacks=(b"x-hop",)),
        said("connection-names-cookie", b"Connection: cookie", b"Cookie: a=b", lacks=(b"cookie",)),
        said("connection-names-forwarding", b"Connection: X-Forwarded-For, X-Request-Id"),
        said("connection-has-empty-options", b"Connection: ,, , X-Cognito-Sub ,,"),
        said(
            "hop-by-hop-fields",
            b"Keep-Alive: timeout=5",
            b"TE: trailers",
            b"Proxy-Authorization: Basic Zm9vOmJhcg==",
            b"Proxy-Connection: keep-alive",
            b"Proxy-Authenticate: Basic",
            lacks=(
                b"keep-alive",
                b"te",
                b"proxy-authorization",
                b"proxy-connection",
                b"proxy-authenticate",
                b"connection",
            ),
        ),
        said("sub-in-a-cookie", b"Cookie: X-Cognito-Sub=forged; access_token=" + TOKEN),
        Carried(
            "sub-on-preflight",
            request(*PREFLIGHT, SUB, b"X_Cognito_Username: forged", method=b"OPTIONS"),
            method=b"OPTIONS",
        ),
        said("sub-on-websocket", *HANDSHAKE, SUB, b"X_Cognito_Sub: forged"),
        *(
            Carried(
                f"sub-on-{method.decode()}",
                request(SUB, NAME, method=method),
                method=method,
            )
            for method in (b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
        ),
        *(
            Carried(f"sub-on-{target!r}", request(SUB, NAME, target=target), target=target)
            for target in (
                b"/",
                b"/health",
                b"/healthz",
                b"/metrics",
                b"/admin",
                b"/favicon.ico",
                b"/.well-known/jwks.json",
                b"/?X-Cognito-Sub=forged",
                b"//" + MARK,
                b"/a/../b",
                b"/%2e%2e/",
            )
        ),
    ]
)

# With a token, except where the attack is about the token itself.
_ANONYMOUS = {"sub-on-preflight"}
WITH_TOKEN = {name: row for name, row in FORGERIES.items() if name not in _ANONYMOUS}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["strip", "optional"])
@pytest.mark.parametrize("name", FORGERIES)
async def test_forged_identity_without_token_arrives_as_nobody(
    house: House, name: str, mode: str, way: str
) -> None:
    """Whatever a client says of itself, in any spelling, the backend hears nothing of it."""
    attack = FORGERIES[name]
    raw = attack.request.replace(TOKEN, b"a.b.c")
    await assert_carried(house, mode, attack, WAYS[way](raw), NOBODY)


@pytest.mark.parametrize("name", FORGERIES)
async def test_forged_identity_without_token_is_refused_where_one_is_required(
    house: House, name: str
) -> None:
    """A forged identity opens nothing: 401, and the backend hears of no one."""
    attack = FORGERIES[name]
    raw = attack.request.replace(TOKEN, b"a.b.c")
    if name in _ANONYMOUS:
        await assert_carried(house, "require", attack, [[raw]], NOBODY)
        return
    is_head = attack.method == b"HEAD"
    outcome = await house.send("require", [raw], count=1, is_head=is_head)
    assert [answer.status for answer in outcome.answers] == [401]
    assert outcome.seen == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_token_first", [True, False])
@pytest.mark.parametrize("name", WITH_TOKEN)
async def test_forged_identity_beside_a_token_arrives_as_the_token_says(
    house: House, name: str, mode: str, *, is_token_first: bool
) -> None:
    """Beside a good token the backend sees its identity exactly once, and no other."""
    attack = WITH_TOKEN[name]
    raw = with_token(house, _with_bearer(attack.request, is_first=is_token_first))
    await assert_carried(house, mode, attack, [[raw]], PROVEN)


@pytest.mark.parametrize("way", ["byte-by-byte", "line-by-line", "cut-at-each-boundary"])
@pytest.mark.parametrize(
    "name", ["both", "sub-five-spellings", "connection-names-sub", "wsgi-name-SCRIPT_NAME"]
)
async def test_forged_identity_beside_a_token_in_pieces_arrives_as_the_token_says(
    house: House, name: str, way: str
) -> None:
    """However the bytes are cut, the identity is the token's."""
    attack = WITH_TOKEN[name]
    raw = with_token(house, _with_bearer(attack.request, is_first=True))
    await assert_carried(house, "require", attack, WAYS[way](raw), PROVEN)


REFUSED = by_name(
    [
        *(
            Refused(
                f"connection-names-{name.decode()}",
                request(b"Connection: " + name, BEARER),
                reasons=("header_invalid",),
            )
            for name in (
                b"Host",
                b"host",
                b"Content-Length",
                b"content-LENGTH",
                b"Transfer-Encoding",
                b"close, Host",
                b"keep-alive,transfer-encoding",
                b" , host\t, ",
            )
        ),
        Refused(
            "connection-names-host-in-a-second-field",
            request(b"Connection: keep-alive", b"Connection: Host"),
            reasons=("header_invalid",),
        ),
        *(
            Refused(
                f"two-authorization-fields-{name}",
                request(*lines),
                reasons=("multiple_tokens",),
            )
            for name, lines in {
                "equal": (BEARER, BEARER),
                "good-then-bad": (BEARER, b"Authorization: Bearer a.b.c"),
                "bad-then-good": (b"Authorization: Bearer a.b.c", BEARER),
                "good-then-basic": (BEARER, b"Authorization: Basic Zm9vOmJhcg=="),
                "basic-then-good": (b"Authorization: Basic Zm9vOmJhcg==", BEARER),
                "good-then-empty": (BEARER, b"Authorization:"),
                "empty-then-good": (b"Authorization:", BEARER),
                "other-case": (BEARER, b"AUTHORIZATION: Bearer a.b.c"),
                "two-basic": (b"Authorization: Basic YQ==",) * 2,
                "far-apart": (BEARER, b"X-A: b", SUB, b"authorization: Bearer a.b.c"),
            }.items()
        ),
    ]
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", REFUSED)
async def test_ambiguous_caller_is_refused(house: House, name: str, mode: str, way: str) -> None:
    """Two tokens, or a `Connection` that takes the frame away: never "the first one wins"."""
    attack = REFUSED[name]
    raw = with_token(house, attack.request)
    ways = WAYS[way](raw) if mode == "strip" else [[raw]]
    await assert_refused(house, mode, attack, ways)


NO_TOKENS = {
    "token-in-query": request(target=b"/%b?access_token=%b" % (MARK, TOKEN)),
    "token-in-other-query": request(target=b"/%b?token=%b&jwt=%b" % (MARK, TOKEN, TOKEN)),
    "token-in-cookie": request(b"Cookie: access_token=%b; Authorization=%b" % (TOKEN, TOKEN)),
    "token-in-other-fields": request(
        b"X-Access-Token: " + TOKEN,
        b"X-Amzn-Oidc-Accesstoken: " + TOKEN,
        b"X-Forwarded-Access-Token: " + TOKEN,
        b"X-Authorization: Bearer " + TOKEN,
        b"Proxy-Authorization: Bearer " + TOKEN,
    ),
    "token-in-underscore-field": request(b"Authorization_: Bearer " + TOKEN),
    "token-in-body": request(
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: %LENGTH%",
        method=b"POST",
        body=b"access_token=" + TOKEN,
    ),
    "token-in-trailer": request(
        b"Transfer-Encoding: chunked",
        b"Trailer: Authorization",
        method=b"POST",
        body=b"0\r\nAuthorization: Bearer " + TOKEN + b"\r\nX-Cognito-Sub: forged\r\n\r\n",
    ),
    "token-of-another-scheme": request(b"Authorization: Token " + TOKEN),
    "token-of-a-longer-scheme": request(b"Authorization: Bearerx " + TOKEN),
    "token-named-by-connection": request(b"Connection: Authorization", BEARER),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NO_TOKENS)
async def test_token_in_another_place_proves_nobody(house: House, name: str, mode: str) -> None:
    """A good token outside `Authorization: Bearer` is not a source of identity."""
    raw = with_token(house, NO_TOKENS[name])
    raw = raw.replace(b"%LENGTH%", b"%d" % len(raw.partition(b"\r\n\r\n")[2]))
    outcome = await house.send(mode, [raw], count=1)
    assert [answer.status for answer in outcome.answers] == [401 if mode == "require" else 200]
    assert len(outcome.seen) == (0 if mode == "require" else 1)
    for seen in outcome.seen:
        assert_identity(seen, NOBODY)


TRAILERS = {
    "token": b"Authorization: Bearer " + TOKEN,
    "host": b"Host: evil.example",
    "cookie": b"Cookie: session=forged",
    "forwarded": b"X-Forwarded-For: 10.0.0.1",
    "plain": b"X-Trailer: 1",
    "several": b"X-Trailer: 1\r\nX-Other: 2\r\nAuthorization: Bearer " + TOKEN,
    "length": b"Content-Length: 20",
    "expectation": b"Expect: 100-continue",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TRAILERS)
async def test_trailer_of_one_request_is_no_field_of_the_next(
    house: House, name: str, way: str
) -> None:
    """A trailer ends with its request (aiohttp 3.14 gives its last field to the next request)."""
    body = b"5\r\nhello\r\n0\r\n" + with_token(house, TRAILERS[name]) + b"\r\n\r\n"
    raw = request(b"Transfer-Encoding: chunked", method=b"POST", body=body)
    plain = request(b"Connection: close", target=b"/plain")
    for pieces in WAYS[way](raw):
        outcome = await house.send("strip", [*pieces, plain], count=None)
        assert outcome.conversation.is_closed
        for seen in outcome.seen:
            assert_identity(seen, NOBODY)
        for seen in outcome.seen[1:]:
            assert seen.fields[0] == (b"Host", b"site.example")
            assert len(seen.fields) == 5, seen.fields


CARRIERS = {
    **{method.decode(): (method, ()) for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE")},
    "upgrade-h2c": (b"GET", (b"Connection: Upgrade", b"Upgrade: h2c")),
    "websocket": (b"GET", HANDSHAKE),
    "websocket-post": (b"POST", HANDSHAKE),
    "expecting": (b"POST", (b"Expect: 100-continue",)),
    "refused-token": (b"POST", (b"Authorization: Bearer a.b.c",)),
    "refused-tokens": (b"POST", (b"Authorization: Bearer a.b.c",) * 2),
    "keep-alive": (b"POST", (b"Connection: keep-alive", b"Keep-Alive: timeout=60")),
    "other-case": (b"POST", (b"TRANSFER-ENCODING: CHUNKED",)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_pipelined", [True, False])
@pytest.mark.parametrize("name", CARRIERS)
async def test_trailer_of_any_kind_of_request_proves_nobody_next(
    house: House, name: str, mode: str, *, is_pipelined: bool
) -> None:
    """Carried, upgraded or refused: what stands in a trailer is gone when the request is."""
    method, lines = CARRIERS[name]
    trailer = b"Authorization: Bearer " + house.token
    coding = () if name == "other-case" else (b"Transfer-Encoding: chunked",)
    body = b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n"
    raw = request(*lines, *coding, method=method, body=body)
    plain = request(b"Connection: close", target=b"/plain")
    pieces = [raw + plain] if is_pipelined else [raw, plain]
    outcome = await house.send(mode, pieces, count=None, is_head=method == b"HEAD")
    assert outcome.conversation.is_closed
    for seen in outcome.seen:
        assert_identity(seen, NOBODY)
        assert seen.values(b"authorization") == []


BAD_TOKENS = {
    "two-in-one-field": b"Bearer %b, Bearer %b" % (TOKEN, TOKEN),
    "two-in-one-field-without-space": b"Bearer %b,Bearer %b" % (TOKEN, TOKEN),
    "two-with-one-scheme": b"Bearer %b %b" % (TOKEN, TOKEN),
    "two-with-one-scheme-and-comma": b"Bearer %b,%b" % (TOKEN, TOKEN),
    "good-then-made-up": b"Bearer %b, Bearer a.b.c" % TOKEN,
    "two-spaces": b"Bearer  " + TOKEN,
    "tab": b"Bearer\t" + TOKEN,
    "comma": b"Bearer," + TOKEN,
    "quoted": b'Bearer "%b"' % TOKEN,
    "parameter": b'Bearer token="%b"' % TOKEN,
    "no-token": b"Bearer",
    "high-bytes": b"Bearer %b\xa0" % TOKEN,
    "colon": b"Bearer: " + TOKEN,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_token_that_is_not_alone_proves_nobody(house: House, name: str, mode: str) -> None:
    """`Bearer` and anything but one token: 401, or anonymous without the field where stripped."""
    raw = with_token(house, request(b"Authorization: " + BAD_TOKENS[name], SUB))
    outcome = await house.send(mode, [raw], count=1)
    answer = outcome.answers[0]
    assert answer.fields["x-cognito-auth"] == "anonymous; reason=token_malformed"
    if mode != "strip":
        assert answer.status == 401
        assert outcome.seen == []
        return
    assert answer.status == 200
    assert_identity(outcome.seen[0], NOBODY)
    assert outcome.seen[0].values(b"authorization") == []


BAD_CLAIMS: Mapping[str, tuple[dict[str, object], str]] = {
    **{
        f"{claim}-{name}": ({claim: value}, "claim_invalid")
        for claim in ("sub", "username")
        for name, value in {
            "cr-lf": "a\r\nX-Cognito-Sub: forged",
            "lf": "a\nb",
            "cr": "a\rb",
            "nul": "a\0b",
            "tab": "a\tb",
            "vertical-tab": "a\x0bb",
            "form-feed": "a\x0cb",
            "file-separator": "a\x1cb",
            "next-line": "a\x85b",
            "delete": "a\x7fb",
            "escape": "a\x1bb",
            "lf-at-the-end": "a\n",
            "only-lf": "\n",
            "empty": "",
            "blank": " ",
            "wide-blank": "\u3000",
        }.items()
    },
    **{
        f"sub-{name}": ({"sub": value}, "claim_invalid")
        for name, value in {
            "number": 7,
            "zero": 0,
            "false": False,
            "list": ["a"],
            "object": {"a": "b"},
        }.items()
    },
    "sub-missing": ({"sub": None}, "claim_missing"),
    "username-object": ({"username": {"a": "b"}}, "claim_invalid"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_claim_that_cannot_be_a_header_proves_nobody(
    house: House, name: str, mode: str
) -> None:
    """A signed token whose claim would break or blank a header is unusable; never a 500."""
    changes, reason = BAD_CLAIMS[name]
    token = mint.mint(now=time.time(), **changes)  # type: ignore[arg-type]  # noqa: TID251 - the sidecar reads the real clock
    await _assert_unusable(house, mode, token, reason)


@pytest.mark.parametrize("mode", MODES)
async def test_claim_with_lone_surrogate_proves_nobody(house: House, mode: str) -> None:
    r"""`\ud800` in a claim is text that no header can say."""
    now = time.time()  # noqa: TID251 - the sidecar reads the real clock
    token = mint.mint(now=now, username="a\ud800b")
    await _assert_unusable(house, mode, token, "token_malformed", "claim_invalid")


NAMES = ["Åsa", "名前", "a b", "100%", "%C3%85sa", "worf@example.com", "😀", "é" * 50, "a=b;c,d"]


@pytest.mark.parametrize("name", NAMES)
async def test_username_beyond_ascii_round_trips(house: House, name: str) -> None:
    """The header is printable ASCII, and `unquote` gives the backend the very name."""
    token = mint.mint(now=time.time(), username=name)  # noqa: TID251 - the sidecar reads the real clock
    outcome = await house.send("require", [request(b"Authorization: Bearer " + token)], count=1)
    value = outcome.seen[0].values(b"x-cognito-username")
    assert len(value) == 1
    assert urllib.parse.unquote(value[0].decode("ascii")) == name


HINTS = {
    "forwarded": b"Forwarded: for=127.0.0.1;proto=https;host=admin.example",
    "forwarded-for": b"X-Forwarded-For: 127.0.0.1",
    "forwarded-host": b"X-Forwarded-Host: admin.example",
    "forwarded-proto": b"X-Forwarded-Proto: https",
    "forwarded-uri": b"X-Forwarded-Uri: /admin",
    "forwarded-prefix": b"X-Forwarded-Prefix: /admin",
    "forwarded-user": b"X-Forwarded-User: root",
    "forwarded-email": b"X-Forwarded-Email: root@example.com",
    "forwarded-method": b"X-Forwarded-Method: OPTIONS",
    "original-url": b"X-Original-URL: /public",
    "rewrite-url": b"X-Rewrite-URL: /public",
    "method-override": b"X-HTTP-Method-Override: OPTIONS",
    "method-override-2": b"X-Method-Override: OPTIONS",
    "real-ip": b"X-Real-IP: 127.0.0.1",
    "user-agent": b"User-Agent: kube-probe/1.30",
    "health-checker": b"User-Agent: ELB-HealthChecker/2.0",
    "auth-request": b"X-Auth-Request-User: root",
    "preflight-by-override": b"Access-Control-Request-Method: POST",
}


@pytest.mark.parametrize("name", HINTS)
async def test_hint_of_the_client_is_no_input_to_a_decision(house: House, name: str) -> None:
    """What a client says about its path, address or method changes nothing: 401 as without."""
    raw = request(HINTS[name], ORIGIN)
    outcome = await house.send("require", [raw], count=1)
    assert [answer.status for answer in outcome.answers] == [401]
    assert outcome.answers[0].fields["x-cognito-auth"] == "anonymous; reason=token_missing"
    assert outcome.seen == []


MAPPING = """
[headers]
X-Cognito-Sub = "sub"
X-Cognito-Username = "username"
X-User = "username"
Remote-User = "sub"
X-Client = "client_id"
"""
MAPPED = (
    b"X-User",
    b"x-user",
    b"X-USER",
    b"X_User",
    b"X.User",
    b"Remote-User",
    b"REMOTE_USER",
    b"remote-user",
    b"Remote.User",
    b"X-Client",
    b"X~Client",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mapped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A sidecar that tells the backend more than the two names of ours."""
    path = tmp_path_factory.mktemp("mapping") / "sidecar.toml"
    path.write_text(MAPPING)
    async with open_house({"strip": {"config": str(path)}}) as house:
        yield house


@pytest.mark.parametrize("name", MAPPED)
async def test_forged_mapped_field_is_removed(mapped: House, name: bytes) -> None:
    """Every name of the mapping is the sidecar's alone, in any spelling, twice or once."""
    lines = [name + b": forged", name + b": forged again"]
    for token_lines in ((), (BEARER,)):
        raw = with_token(mapped, request(*lines, *token_lines))
        outcome = await mapped.send("strip", [raw], count=1)
        (seen,) = outcome.seen
        folded = [(fold(field), value) for field, value in seen.fields]
        ours = [value for field, value in folded if field == fold(name)]
        assert len(ours) == len(token_lines)
        assert b"forged" not in b"".join(value for _, value in seen.fields)


FORWARDING = (b"for", b"host", b"proto", b"uri", b"user", b"prefix", b"port", b"groups", b"email")


async def test_forwarding_fields_of_an_untrusted_peer_are_overwritten(house: House) -> None:
    """The backend sees the peer and the host as the sidecar saw them, once each."""
    lines = [b"X-Forwarded-%b: forged" % name for name in FORWARDING]
    raw = request(*lines, *[line.lower() for line in lines], b"Forwarded: for=forged")
    outcome = await house.send("strip", [raw], count=1)
    (seen,) = outcome.seen
    forwarded = [(name, value) for name, value in seen.fields if b"forwarded" in name.lower()]
    assert forwarded == [
        (b"X-Forwarded-For", b"127.0.0.1"),
        (b"X-Forwarded-Proto", b"http"),
        (b"X-Forwarded-Host", b"site.example"),
    ]


REQUEST_IDS = [b"a b", b"a,b", b"a" * 129, b"\xff", b'"x"', b"<script>", b"a;b", b""]


@pytest.mark.parametrize("value", REQUEST_IDS)
async def test_request_id_that_is_not_sane_is_made_anew(house: House, value: bytes) -> None:
    """What would be logged and echoed is one plain word, or ours."""
    outcome = await house.send("strip", [request(b"X-Request-Id: " + value)], count=1)
    (chosen,) = outcome.seen[0].values(b"x-request-id")
    assert chosen != value
    assert outcome.answers[0].fields["x-request-id"].encode() == chosen


async def test_two_request_ids_are_both_dropped(house: House) -> None:
    """Neither of two ids is believed."""
    outcome = await house.send("strip", [request(b"X-Request-Id: a", b"x-request-id: b")], count=1)
    (chosen,) = outcome.seen[0].values(b"x-request-id")
    assert chosen not in (b"a", b"b")


async def _assert_unusable(house: House, mode: str, token: bytes, *reasons: str) -> None:
    raw = request(b"Authorization: Bearer " + token, SUB)
    outcome = await house.send(mode, [raw], count=1)
    answer = outcome.answers[0]
    told = [f"anonymous; reason={reason}" for reason in reasons]
    assert answer.fields["x-cognito-auth"] in told
    if mode == "strip":
        assert answer.status == 200
        assert_identity(outcome.seen[0], NOBODY)
    else:
        assert answer.status == 401
        assert outcome.seen == []


def _with_bearer(raw: bytes, *, is_first: bool) -> bytes:
    """Put the token in front of or behind the other fields."""
    separator = b"\r\n" if is_first else b"\r\n\r\n"
    if is_first:
        return raw.replace(separator, separator + BEARER + separator, 1)
    return raw.replace(separator, b"\r\n" + BEARER + separator, 1)
