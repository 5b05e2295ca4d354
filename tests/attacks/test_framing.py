"""Framing: whatever two servers could cut differently is refused whole, or arrives in one framing.

The attacks are data: a new one is a new row.
"""

import pytest

from tests.support.attack import BEARER, MARK, NEXT, Carried, Refused, by_name, post, request
from tests.support.house import House, with_token
from tests.support.segments import WAYS
from tests.support.verdict import NOBODY, PROVEN, assert_carried, assert_refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: inside\r\nX-Cognito-Sub: forged\r\n\r\n"
CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
TE = b"Transfer-Encoding: chunked"
CL = b"Content-Length: 5"

CODINGS = [
    Refused("length-and-chunked", post(CL, TE, body=CHUNKED)),
    Refused("chunked-and-length", post(TE, CL, body=CHUNKED)),
    Refused("length-0-and-chunked", post(b"Content-Length: 0", TE, body=b"0\r\n\r\n" + SMUGGLED)),
    Refused(
        "length-over-the-smuggled-and-chunked",
        post(b"Content-Length: %d" % (5 + len(SMUGGLED)), TE, body=b"0\r\n\r\n" + SMUGGLED),
    ),
    Refused("chunked-twice", post(TE, TE, body=CHUNKED)),
    Refused("chunked-then-identity", post(TE, b"Transfer-Encoding: identity", body=CHUNKED)),
    Refused("identity-then-chunked", post(b"Transfer-Encoding: identity", TE, body=CHUNKED)),
    Refused("chunked-then-empty", post(TE, b"Transfer-Encoding:", body=CHUNKED)),
    Refused("chunked-then-unknown-other-case", post(TE, b"TRANSFER-ENCODING: x", body=CHUNKED)),
    Refused("length-and-identity", post(CL, b"Transfer-Encoding: identity", body=b"hello")),
    Refused("chunked-on-http-1.0", post(TE, body=CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
    Refused(
        "chunked-on-http-1.0-with-length",
        post(TE, CL, body=CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    ),
    *(
        Refused(
            f"coding-{value!r}",
            post(b"Transfer-Encoding: " + value, body=CHUNKED),
            statuses=(400, 501),
        )
        for value in (
            b"xchunked",
            b"chunkedx",
            b"chunke",
            b"\x0bchunked",
            b"\x0cchunked",
            b"chunked\x0b",
            b"chunked\x00",
            b"chunked\xa0",
            b"\xa0chunked",
            b"ch\tunked",
            b"chunked, identity",
            b"chunked identity",
            b"identity, chunked",
            b"identity",
            b"chunked, chunked",
            b"chunked,chunked",
            b"chunked,",
            b",chunked",
            b", chunked",
            b"chunked;q=1",
            b"chunked; x=y",
            b'"chunked"',
            b"'chunked'",
            b"gzip, chunked",
            b"chunked, gzip",
            b"gzip",
            b"deflate",
            b"compress",
            b"trailers",
            b"unknown",
            b"",
        )
    ),
    *(
        Refused(f"field-name-{name!r}", post(name + b": chunked", body=CHUNKED))
        for name in (
            b"Transfer-Encoding ",
            b"Transfer-Encoding\t",
            b" Transfer-Encoding",
            b"\tTransfer-Encoding",
            b"Transfer-Encoding\x00",
            b"\x0bTransfer-Encoding",
            b"Transfer\xadEncoding",
            b"Transfer Encoding",
        )
    ),
    Refused("coding-on-a-folded-line", post(b"Transfer-Encoding:\r\n chunked", body=CHUNKED)),
    Refused("coding-folded-under-another", post(b"X-A: b\r\n " + TE, body=CHUNKED)),
    Refused("coding-after-a-bare-cr", post(b"X-A: b\rTransfer-Encoding: chunked", body=CHUNKED)),
    Refused("coding-after-a-bare-lf", post(b"X-A: b\n" + TE, CL, body=CHUNKED)),
    # Not a framing field under this name, so the body is read as the next request, and is none.
    Refused("underscore-coding-with-length", post(b"Transfer_Encoding: chunked", TE, CL)),
]

LENGTHS = [
    Refused("two-equal-lengths", post(CL, CL, body=b"hello")),
    Refused("two-lengths", post(CL, b"Content-Length: 6", body=b"hello!")),
    Refused("two-lengths-other-case", post(CL, b"content-length: 0", body=b"hello")),
    Refused("length-and-a-later-empty-one", post(CL, b"Content-Length:", body=b"hello")),
    *(
        Refused(f"length-{value!r}", post(b"Content-Length: " + value, body=b"hello"))
        for value in (
            b"5, 5",
            b"5,5",
            b"5,",
            b",5",
            b"5, 6",
            b"+5",
            b"-1",
            b"-0",
            b"-5",
            b"0x5",
            b"0X5",
            b"x5",
            b"5x",
            b"5_",
            b"5_0",
            b"0b101",
            b"0o5",
            b"5 5",
            b"5;",
            b"5; x",
            b"5.0",
            b"5e0",
            b"1e1",
            b"5\x00",
            b"5\x0b",
            b"\x0b5",
            b"5\x0c",
            b"\xef\xbc\x95",
            b"\xd9\xa5",
            b"\xb2",
            b"'5'",
            b'"5"',
            b"five",
            b"",
            b" ",
            b"\t",
            b"99999999999999999999",
            b"00000000000000000005",
            b"18446744073709551616",
            b"18446744073709551621",
            b"1" * 60,
        )
    ),
    *(
        Refused(f"length-field-name-{name!r}", post(name + b": 5", body=b"hello"))
        for name in (
            b"Content-Length ",
            b"Content-Length\t",
            b" Content-Length",
            b"\tContent-Length",
            b"Content-Length\x00",
            b"Content Length",
        )
    ),
    Refused("length-on-a-folded-line", post(b"Content-Length:\r\n 5", body=b"hello")),
    Refused("length-continued-on-a-folded-line", post(b"Content-Length: 5\r\n 0", body=b"hello")),
    Refused("negative-length-on-get", request(b"Content-Length: -1")),
]


def chunks(body: bytes) -> bytes:
    return post(TE, body=body)


CHUNKS = [
    *(
        Refused(f"chunk-size-{size!r}", chunks(size + b"\r\nhello\r\n0\r\n\r\n"))
        for size in (
            b"0x5",
            b"0X5",
            b"5_",
            b"0_5",
            b"_5",
            b"+5",
            b"-5",
            b"-0",
            b"",
            b"g",
            b"5g",
            b"5h",
            b"\x005",
            b"5\x00",
            b"5\x0b",
            b"\x0b5",
            b"5,5",
            b"5:5",
            b"5.0",
            b"\xb2",
            b"\xef\xbc\x95",
            b"10000000000000005",
            b"fffffffffffffffff",
            b"f" * 60,
        )
    ),
    Refused("chunk-size-ends-in-lf", chunks(b"5\nhello\r\n0\r\n\r\n")),
    Refused("chunk-size-ends-in-cr", chunks(b"5\rhello\r\n0\r\n\r\n")),
    Refused("chunk-size-ends-in-cr-cr-lf", chunks(b"5\r\r\nhello\r\n0\r\n\r\n")),
    Refused("chunk-size-ends-in-cr-x", chunks(b"5\rXhello\r\n0\r\n\r\n")),
    Refused("chunk-data-without-crlf", chunks(b"5\r\nhello0\r\n\r\n")),
    Refused("chunk-data-ends-in-lf", chunks(b"5\r\nhello\n0\r\n\r\n")),
    Refused("chunk-data-ends-in-cr", chunks(b"5\r\nhello\r0\r\n\r\n")),
    Refused("chunk-data-longer-than-said", chunks(b"5\r\nhelloXX0\r\n\r\n")),
    Refused("chunk-data-shorter-than-said", chunks(b"5\r\nhel\r\n0\r\n\r\n\r\n")),
    Refused("last-chunk-ends-in-lf", chunks(b"5\r\nhello\r\n0\n\r\n")),
    Refused("all-line-ends-lf", chunks(b"5\nhello\n0\n\n")),
    Refused("chunk-extension-with-lf", chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    Refused("chunk-extension-with-cr", chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n")),
    Refused("chunk-extension-with-nul", chunks(b"5;a\x00b\r\nhello\r\n0\r\n\r\n")),
    Refused("chunk-extension-quotes-crlf", chunks(b'5;a="x\r\ny"\r\nhello\r\n0\r\n\r\n')),
    Refused("last-chunk-extension-with-lf", chunks(b"5\r\nhello\r\n0;a\n\r\n" + SMUGGLED)),
    Refused("trailer-without-colon", chunks(b"5\r\nhello\r\n0\r\nnocolon\r\n\r\n")),
    Refused("trailer-with-bare-lf", chunks(b"5\r\nhello\r\n0\r\nX: y\nZ: z\r\n\r\n")),
    Refused("trailer-with-nul", chunks(b"5\r\nhello\r\n0\r\nX: \x00\r\n\r\n")),
    Refused("trailer-folded", chunks(b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n")),
    Refused("trailer-with-space-in-name", chunks(b"5\r\nhello\r\n0\r\nX : y\r\n\r\n")),
]

LINES = [
    Refused("folded-value", request(b"X-A: b\r\n c")),
    Refused("folded-value-tab", request(b"X-A: b\r\n\tc")),
    Refused("folded-blank", request(b"X-A: b\r\n ")),
    Refused("fold-before-the-first-field", request(b" X-A: b", host=None)),
    Refused("identity-on-a-folded-line", request(b"X-A: b\r\n X-Cognito-Sub: forged")),
    Refused("bare-cr-in-value", request(b"X-A: b\rX-Cognito-Sub: forged")),
    Refused("bare-cr-at-the-end-of-value", request(b"X-A: b\r\r\nX-B: c")),
    Refused("bare-cr-in-name", request(b"X-A\r: b")),
    Refused("bare-lf-between-fields", request(b"X-A: b\nX-Cognito-Sub: forged")),
    Refused("bare-lf-in-value-then-crlf", request(b"X-A: b\n\r\nX-B: c")),
    Refused("all-line-ends-lf", request().replace(b"\r\n", b"\n")),
    Refused("all-line-ends-cr", request().replace(b"\r\n", b"\r") + b"\r\n\r\n"),
    Refused("head-ends-in-lf-lf", request().removesuffix(b"\r\n\r\n") + b"\n\n"),
    Refused("head-ends-in-crlf-lf", request().removesuffix(b"\r\n") + b"\n"),
    Refused("request-line-ends-in-lf", request().replace(b"1.1\r\n", b"1.1\n")),
    Refused("request-line-ends-in-cr", request().replace(b"1.1\r\n", b"1.1\r")),
    Refused("no-colon", request(b"nocolon")),
    Refused("no-colon-identity", request(b"X-Cognito-Sub")),
    Refused("empty-name", request(b": value")),
    Refused("empty-name-with-space", request(b" : value")),
    Refused("only-a-colon", request(b":")),
    *(
        Refused(f"control-{byte:#04x}-in-value", request(b"X-A: b%cc" % byte))
        for byte in (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F)
    ),
    *(
        Refused(f"byte-{byte:#04x}-in-name", request(b"X%cA: b" % byte))
        for byte in (0x00, 0x01, 0x08, 0x09, 0x0B, 0x0C, 0x1F, 0x20, *b'"(),/;<=>?@[\\]{}', 0x7F)
    ),
    *(
        Refused(f"byte-{byte:#04x}-in-name", request(b"X%cA: b" % byte))
        for byte in (0x80, 0x85, 0xA0, 0xAD, 0xE9, 0xFF)
    ),
    Refused("space-before-colon", request(b"X-A : b")),
    Refused("tab-before-colon", request(b"X-A\t: b")),
    Refused("space-before-colon-identity", request(b"X-Cognito-Sub : forged")),
    Refused("space-before-the-method", b" " + request()),
    Refused("tab-before-the-method", b"\t" + request()),
    Refused("tab-before-the-target", request().replace(b" /", b"\t/", 1)),
    Refused("tab-before-the-version", request().replace(b" HTTP", b"\tHTTP", 1)),
    Refused("vertical-tab-before-the-target", request().replace(b" /", b"\x0b/", 1)),
    Refused("space-after-the-version", request(version=b"HTTP/1.1 ")),
    Refused("space-in-the-target", request(target=b"/%b /admin" % MARK)),
    Refused("nul-before-the-method", b"\x00" + request()),
    Refused("byte-order-mark-before-the-method", b"\xef\xbb\xbf" + request()),
    Refused("only-white-space-line-ends-the-head", request(b" ", b"X-A: b")),
    Refused("tls-client-hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    Refused("smtp", b"EHLO %b.example\r\nMAIL FROM:<a@b>\r\n\r\n" % MARK, statuses=(400, 501)),
]

REFUSED = by_name(
    Refused(f"{kind}/{row.name}", row.request, row.statuses, row.reasons, row.closes)
    for kind, rows in (
        ("coding", CODINGS),
        ("length", LENGTHS),
        ("chunk", CHUNKS),
        ("line", LINES),
    )
    for row in rows
)


def carried(
    name: str, raw: bytes, *has: tuple[bytes, bytes], lacks: tuple[bytes, ...] = ()
) -> Carried:
    return Carried(name, raw, method=b"POST", body=b"hello", has=has, lacks=(b"trailer", *lacks))


IS_CHUNKED = (b"Transfer-Encoding", b"chunked")
HAS_LENGTH = (b"Content-Length", b"5")

NORMALISED = by_name(
    [
        carried("length-stays-length", post(CL, body=b"hello"), HAS_LENGTH),
        carried(
            "length-in-white-space", post(b"Content-Length: \t5\t ", body=b"hello"), HAS_LENGTH
        ),
        carried("length-without-space", post(b"content-length:5", body=b"hello"), HAS_LENGTH),
        carried("chunked-stays-chunked", chunks(CHUNKED), IS_CHUNKED),
        carried(
            "chunked-in-capitals", post(b"TRANSFER-ENCODING: CHUNKED", body=CHUNKED), IS_CHUNKED
        ),
        carried("chunk-size-with-zeros", chunks(b"0005\r\nhello\r\n000\r\n\r\n"), IS_CHUNKED),
        carried("chunks-of-one-byte", chunks(b"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n"), IS_CHUNKED),
        carried("chunk-extension", chunks(b"5;a=b\r\nhello\r\n0;c\r\n\r\n"), IS_CHUNKED),
        carried(
            "trailers-are-dropped",
            chunks(b"5\r\nhello\r\n0\r\nX-Trailer: a\r\nX-Cognito-Sub: forged\r\n\r\n"),
            IS_CHUNKED,
            lacks=(b"x-trailer",),
        ),
        carried(
            "announced-trailers-are-dropped",
            post(
                TE,
                b"Trailer: X-Cognito-Sub, X-Trailer",
                body=b"5\r\nhello\r\n0\r\nX-Cognito-Sub: forged\r\nX-Trailer: 0\r\n\r\n",
            ),
            IS_CHUNKED,
        ),
        carried(
            "underscore-framing-is-dropped",
            post(CL, b"Content_Length: 0", b"Transfer_Encoding: chunked", body=b"hello"),
            HAS_LENGTH,
            lacks=(b"transfer-encoding",),
        ),
        Carried(
            "obs-text-in-value",
            request(b"X-A: caf\xc3\xa9\xff"),
            has=((b"X-A", b"caf\xc3\xa9\xff"),),
        ),
        Carried("tab-in-value", request(b"X-A: a\tb"), has=((b"X-A", b"a\tb"),)),
        Carried("empty-value", request(b"X-A:"), has=((b"X-A", b""),)),
        Carried("length-0", request(b"Content-Length: 0"), has=((b"Content-Length", b"0"),)),
    ]
)

EITHER = by_name(
    carried(name, chunks(body), IS_CHUNKED)
    for name, body in {
        "chunk-extension-with-quotes": b'5;a="b"\r\nhello\r\n0\r\n\r\n',
        "chunk-extension-with-quoted-semicolon": b'5;a="b;c"\r\nhello\r\n0\r\n\r\n',
        "chunk-extension-open-quote": b'5;a="b\r\nhello\r\n0\r\n\r\n',
        "chunk-extension-without-name": b"5;\r\nhello\r\n0\r\n\r\n",
        "chunk-extension-only-value": b"5;=b\r\nhello\r\n0\r\n\r\n",
        "chunk-extension-long": b"5;" + b"a" * 2000 + b"\r\nhello\r\n0\r\n\r\n",
        "space-after-chunk-size": b"5 \r\nhello\r\n0\r\n\r\n",
        "space-before-chunk-size": b" 5\r\nhello\r\n0\r\n\r\n",
        "space-before-extension": b"5 ;a=b\r\nhello\r\n0\r\n\r\n",
        "tab-after-chunk-size": b"5\t\r\nhello\r\n0\r\n\r\n",
        "trailer-names-a-length": b"5\r\nhello\r\n0\r\nContent-Length: 0\r\n\r\n",
        "trailer-names-a-coding": b"5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n",
        "chunk-size-with-many-zeros": b"0" * 30 + b"5\r\nhello\r\n0\r\n\r\n",
    }.items()
) | by_name(
    [
        Carried("two-spaces-before-the-target", request(target=b" /" + MARK)),
        Carried("two-spaces-before-the-version", request(target=b"/" + MARK + b" ")),
        Carried("lone-cr-before-the-method", b"\r" + request()),
        Carried("empty-lines-before-the-request", b"\r\n\r\n" + request()),
        Carried("lone-lf-before-the-request", b"\n" + request()),
        Carried("cr-lf-before-the-request", b"\r\n" + request()),
        carried(
            "length-with-a-zero-in-front", post(b"Content-Length: 05", body=b"hello"), HAS_LENGTH
        ),
    ]
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", REFUSED)
async def test_ambiguous_request_is_refused_whole(house: House, name: str, way: str) -> None:
    """What could be read in two ways is a 400 of ours, the connection ends, no backend sees it."""
    attack = REFUSED[name]
    await assert_refused(house, "strip", attack, WAYS[way](attack.request))


@pytest.mark.parametrize("name", REFUSED)
async def test_request_behind_an_ambiguous_one_is_not_served(house: House, name: str) -> None:
    """Where one request ends is unknown, so nothing behind it is taken for a request."""
    attack = REFUSED[name]
    await assert_refused(house, "strip", attack, [[attack.request + NEXT]])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NORMALISED)
async def test_odd_but_clear_request_arrives_in_one_framing(
    house: House, name: str, way: str
) -> None:
    """What has one meaning arrives with it, in our own framing, and nobody is proven by it."""
    attack = NORMALISED[name]
    await assert_carried(house, "strip", attack, WAYS[way](attack.request), NOBODY)


@pytest.mark.parametrize("name", NORMALISED)
async def test_odd_but_clear_request_keeps_its_caller(house: House, name: str) -> None:
    """The oddity does not get between a token and the request that carries it."""
    attack = NORMALISED[name]
    raw = attack.request.replace(b"\r\n", b"\r\n" + BEARER + b"\r\n", 1)
    await assert_carried(house, "require", attack, [[with_token(house, raw)]], PROVEN)


@pytest.mark.parametrize("length", [b"9223372036854775808", b"999999999999999"])
async def test_refused_body_that_never_comes_holds_no_connection(
    house: House, length: bytes
) -> None:
    """A refused request that promises exabytes is answered and closed, not waited for."""
    raw = post(b"Content-Length: " + length, b"Connection: Host", body=b"hello")
    await assert_refused(house, "strip", Refused("endless", raw), [[raw]])


@pytest.mark.parametrize("size", [b"ffffffffffffffff", b"7fffffffffffffff", b"ffffffff"])
async def test_huge_chunk_size_is_never_relayed(house: House, size: bytes) -> None:
    """A chunk of exabytes reaches the backend as the five bytes that came, and ends nothing."""
    raw = chunks(size + b"\r\nhello\r\n0\r\n\r\n" + NEXT)
    outcome = await house.send("strip", [raw], count=1, timeout_s=0.3)
    assert [s for s in outcome.seen if s.is_complete] == []
    assert [answer.status for answer in outcome.answers] in ([], [400], [413])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EITHER)
async def test_tolerable_spelling_is_refused_or_normalised(
    house: House, name: str, way: str
) -> None:
    """What some servers tolerate is refused, or arrives plainly; never as it was written."""
    attack = EITHER[name]
    for pieces in WAYS[way](attack.request):
        outcome = await house.send("strip", pieces, count=1)
        if outcome.answers[0].status == 400:
            refused = Refused(attack.name, attack.request)
            await assert_refused(house, "strip", refused, [pieces])
        else:
            await assert_carried(house, "strip", attack, [pieces], NOBODY)
