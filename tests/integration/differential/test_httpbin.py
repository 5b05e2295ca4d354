"""httpbin, a Flask application that others wrote, under gunicorn: the same with and without us."""

import base64
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from sidecar.model import Address
from tests.integration.differential.compare import Question, assert_equal
from tests.integration.differential.conftest import Pair, behind_sidecar, need, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = b"Content-Type: application/x-www-form-urlencoded"
JSON = b"Content-Type: application/json"
BASIC = b"Authorization: Basic " + base64.b64encode(b"user:passwd")
DISPOSITION = b'Content-Disposition: form-data; name="f"; filename="a.bin"'
PARTS = b"--x\r\n" + DISPOSITION + b"\r\n\r\n\x00\xff\r\n--x--\r\n"

GETS = [
    *(
        Question("GET", target)
        for target in (
            "/",
            "/absolute-redirect/2",
            "/anything",
            "/anything/a/b%2Fc?d=e&d=f",
            "/base64/SFRUUEJJTiBpcyBhd2Vzb21l",
            "/base64/%%%",
            "/basic-auth/user/passwd",
            "/bearer",
            "/brotli",
            "/bytes/1000?seed=1",
            "/bytes/0",
            "/cache/60",
            "/cookies",
            "/cookies/delete?a=",
            "/cookies/set?a=1&b=2",
            "/cookies/set/a/b",
            "/deflate",
            "/delay/0",
            "/deny",
            "/drip?duration=0.1&numbytes=10&delay=0",
            "/drip?duration=0&numbytes=0&delay=0&code=500",
            "/encoding/utf8",
            "/etag/x",
            "/forms/post",
            "/get?a=1&a=2&b=%20+",
            "/gzip",
            "/headers",
            "/hidden-basic-auth/user/passwd",
            "/html",
            "/image",
            "/image/jpeg",
            "/image/png",
            "/image/svg",
            "/image/webp",
            "/ip",
            "/json",
            "/links/3",
            "/links/3/1",
            "/range/1024",
            "/redirect-to?url=http%3A%2F%2Fsite.example%2F",
            "/redirect/3",
            "/relative-redirect/2",
            "/response-headers?X-A=1&X-A=2&Server=x",
            "/robots.txt",
            "/static/favicon.ico",
            "/stream-bytes/5000?seed=1&chunk_size=100",
            "/stream/5",
            "/user-agent",
            "/xml",
            "/no-such-page",
            "/get?" + "a" * 3000,
        )
    ),
    *(
        Question("GET", target, is_volatile=True)
        for target in (
            "/uuid",
            "/cache",
            "/digest-auth/auth/user/passwd",
            "/digest-auth/auth-int/user/passwd/SHA-256",
            "/digest-auth/auth/user/passwd/MD5/never",
        )
    ),
]

STATUSES = [
    Question(method, f"/status/{status}")
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
    for status in (200, 201, 202, 204, 205, 206, 301, 302, 304, 400, 401, 402, 404, 406, 418, 500)
]

CONDITIONS = [
    Question("GET", "/range/100", (b"Range: bytes=10-19",)),
    Question("GET", "/range/100", (b"Range: bytes=90-",)),
    Question("GET", "/range/100", (b"Range: bytes=-5",)),
    Question("GET", "/range/100", (b"Range: bytes=200-300",)),
    Question("GET", "/etag/x", (b'If-None-Match: "x"',)),
    Question("GET", "/etag/x", (b'If-Match: "y"',)),
    Question("GET", "/cache", (b"If-Modified-Since: Wed, 21 Oct 2015 07:28:00 GMT",)),
    Question("GET", "/image", (b"Accept: image/png",)),
    Question("GET", "/image", (b"Accept: text/plain",)),
    Question("GET", "/basic-auth/user/passwd", (BASIC,)),
    Question("GET", "/hidden-basic-auth/user/passwd", (BASIC,)),
    Question("GET", "/cookies", (b"Cookie: a=1; b=2",)),
    Question("GET", "/cookies", (b"Cookie: a=1", b"Cookie: b=2")),
    Question("GET", "/headers", (b"X-A: 1", b"X-A: 2", b"Accept: */*", b"X-B: caf\xc3\xa9")),
    Question("GET", "/user-agent", (b"User-Agent: difference/1",)),
    Question("GET", "/get", (b"Accept-Encoding: gzip, br",)),
    Question("GET", "/deny", (b"Referer: http://site.example/",)),
]

_BODIES = [
    ((FORM,), b"a=1&b=%20&b=3"),
    ((JSON,), b'{"a": [1, 2, "\xc3\xa9"]}'),
    ((JSON,), b"{broken"),
    ((b"Content-Type: multipart/form-data; boundary=x",), PARTS),
    ((b"Content-Type: application/octet-stream",), bytes(range(256)) * 40),
    ((b"Content-Encoding: gzip", JSON), b"\x1f\x8b not gzip"),
    ((), b""),
]
UPLOADS = [
    Question(method, target, (*lines, b"Content-Length: %d" % len(body)), body)
    for method, target in (
        ("POST", "/post"),
        ("PUT", "/put"),
        ("PATCH", "/patch"),
        ("DELETE", "/delete"),
        ("POST", "/anything/x"),
        ("PUT", "/delay/0"),
    )
    for lines, body in _BODIES
] + [
    Question(
        method,
        target,
        (b"Transfer-Encoding: chunked", JSON),
        b'2\r\n{"\r\n4\r\na":1\r\n1\r\n}\r\n0\r\n\r\n',
    )
    for method, target in (("POST", "/post"), ("PUT", "/put"), ("PATCH", "/anything"))
]

OTHER_METHODS = [
    Question(method, question.target, question.lines, is_volatile=question.is_volatile)
    for method in ("HEAD", "OPTIONS", "POST", "DELETE")
    for question in GETS
]


@pytest.fixture(scope="module")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Run httpbin under gunicorn."""
    need("httpbin")
    need("gunicorn")
    command = ("-m", "gunicorn", "-b", "127.0.0.1:PORT", "--threads", "4", "httpbin:app")
    with serving(tmp_path_factory.mktemp("httpbin"), *command) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(httpbin: Address) -> AsyncIterator[Pair]:
    """Put a sidecar in front of it."""
    async with behind_sidecar(httpbin) as pair:
        yield pair


@pytest.mark.parametrize("question", GETS, ids=str)
async def test_httpbin_endpoint_answers_the_same(pair: Pair, question: Question) -> None:
    """Every endpoint: equal status, reason, fields, order of fields, and bytes."""
    await assert_equal(pair, question)


@pytest.mark.parametrize("question", STATUSES, ids=str)
async def test_httpbin_status_is_the_same(pair: Pair, question: Question) -> None:
    """Every status under every method, those without a body among them."""
    await assert_equal(pair, question)


@pytest.mark.parametrize("question", CONDITIONS, ids=str)
async def test_httpbin_sees_the_same_fields(pair: Pair, question: Question) -> None:
    """Ranges, conditions, credentials, cookies and duplicates reach the application."""
    await assert_equal(pair, question)


@pytest.mark.parametrize("question", UPLOADS, ids=str)
async def test_httpbin_gets_the_same_body(pair: Pair, question: Question) -> None:
    """Forms, JSON, files and chunks arrive as they were sent, compressed or not."""
    await assert_equal(pair, question)


@pytest.mark.parametrize("question", OTHER_METHODS, ids=str)
async def test_httpbin_answers_other_methods_the_same(pair: Pair, question: Question) -> None:
    """HEAD and OPTIONS, and the 405s of the rest."""
    await assert_equal(pair, question)
