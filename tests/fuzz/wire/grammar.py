"""Well-formed requests at random, and odd ones: what mutation starts from."""

from dataclasses import dataclass
from random import Random

from tests.fuzz.wire.callers import BAD, GOOD

END = b"GET /end HTTP/1.1\r\nHost: end\r\nConnection: close\r\n\r\n"
"""The last request of every case: it shows whether the frame still holds."""

_METHODS = (b"GET", b"GET", b"POST", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"HEAD")
_BODIES = (
    b"hello",
    b"",
    b"a=b&c=d",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"GET /smuggled HTTP/1.1\r\nHost: in\r\nX-Cognito-Sub: forged\r\n\r\n",
    b"\x00\xff" * 20,
)
_FIELDS = (
    b"Accept: */*",
    b"Cookie: a=b; c=d",
    b"X-Cognito-Sub: forged",
    b"x-cognito-username: forged",
    b"X_Cognito_Sub: forged",
    b"X-Forwarded-For: 10.0.0.1",
    b"X-Empty:",
    b"X-High: \xe4\xf6\xfc",
    b"Connection: keep-alive",
    b"Connection: X-Cognito-Sub, X-Hop",
    b"X-Hop: 1",
    b"TE: trailers",
    b"User-Agent: fuzz",
    b"Content-Type: text/plain",
    b"SCRIPT_NAME: /public",
    b"Origin: https://site.example",
)
ODD_FIELDS = (
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"Content-Length: 5, 5",
    b"Content-Length: +5",
    b"Content-Length: 0x5",
    b"Content-Length : 5",
    b"Host: evil.example",
    b"Connection: Content-Length",
    b"Connection: close",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Connection: Upgrade\r\nUpgrade: foo",
    b"Expect: 100-continue",
    b"Authorization: Basic YTpi",
    b"Authorization: Bearer %T0%",
    b"Authorization: Bearer %T1%, Bearer %T2%",
    b" folded: X-Cognito-Sub",
    b"X-A: b\rX-Cognito-Sub: forged",
    b"X-A: b\nX-Cognito-Sub: forged",
    b"X-A: \x00",
    b"nocolon",
    b": empty",
    b"Trailer: X-Cognito-Sub",
)
_TRAILERS = (
    b"X-Cognito-Sub: trailer\r\n",
    b"X-Trailer: 1\r\n",
    b"Authorization: Bearer %T5%\r\n",
)
_ODD_SIZES = (
    b"0x5",
    b"5;a=b",
    b"5;a\nb",
    b'5;a="b\r\n"',
    b" 5",
    b"5 ",
    b"+5",
    b"05",
    b"5\n",
    b"f" * 17,
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One well-formed request: its bytes, and what of it a backend may see."""

    raw: bytes
    method: bytes
    target: bytes
    body: bytes
    caller: bytes


def speak(random: Random, number: int) -> Spoken:
    """Write one well-formed request with a target of its own."""
    method = random.choice(_METHODS)
    target = b"/ca7a7y/%d" % number + random.choice((b"", b"?a=b", b"/%7Bx%7D", b"//x", b"?"))
    caller = random.choice((b"", *GOOD, *BAD))
    lines = random.sample(_FIELDS, random.randrange(5))
    lines.insert(random.randrange(len(lines) + 1), b"Host: site.example")
    if caller:
        field = b"Authorization: Bearer " + caller
        lines.insert(random.randrange(len(lines) + 1), field)
    body = b"" if method in (b"GET", b"HEAD", b"OPTIONS") else random.choice(_BODIES)
    sent = b""
    if body or random.random() < 0.1:
        framing, sent = _frame(random, body)
        lines.insert(random.randrange(len(lines) + 1), framing)
    start = b"%b %b HTTP/1.1" % (method, target)
    raw = b"\r\n".join([start, *lines, b"", sent])
    return Spoken(raw, method, target, body, caller)


def speak_oddly(random: Random, number: int) -> bytes:
    """Write a request that is odd in one or two fields, or in its chunks."""
    spoken = speak(random, number)
    head, _, body = spoken.raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for _ in range(random.randrange(1, 3)):
        lines.insert(random.randrange(1, len(lines) + 1), random.choice(ODD_FIELDS))
    if random.random() < 0.3:
        size = random.choice(_ODD_SIZES)
        lines.append(b"Transfer-Encoding: chunked")
        body = (
            size + b"\r\nhello\r\n0\r\n" + random.choice((b"", b"X-Cognito-Sub: t\r\n")) + b"\r\n"
        )
    return b"\r\n".join([*lines, b"", body])


def _frame(random: Random, body: bytes) -> tuple[bytes, bytes]:
    if random.random() < 0.5:
        return b"Content-Length: %d" % len(body), body
    cut = random.randrange(len(body) + 1)
    chunks = [chunk for chunk in (body[:cut], body[cut:]) if chunk]
    extension = random.choice((b"", b"", b";a=b"))
    sent = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    trailer = random.choice((b"", b"", *_TRAILERS))
    return b"Transfer-Encoding: chunked", sent + b"0\r\n" + trailer + b"\r\n"
