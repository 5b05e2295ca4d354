"""One small application, as WSGI and as ASGI, for servers that are not gunicorn."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Fields = list[tuple[str, str]]

Page = tuple[str, Fields, list[bytes]]

_LARGE = bytes(range(256)) * 4096
_COOKIES = [("Set-Cookie", "a=1"), ("X-Between", "é"), ("Set-Cookie", "b=2; Path=/")]
_PAGES: dict[str, Page] = {
    "/large": ("200 OK", [("Content-Length", str(len(_LARGE)))], [_LARGE]),
    "/stream": ("200 OK", [("Content-Type", "text/plain")], [b"one\n", b"two\n", b"three\n"]),
    "/cookies": ("200 OK", [*_COOKIES, ("Content-Length", "0")], []),
    "/nothing": ("204 No Content", [], []),
    "/unchanged": ("304 Not Modified", [("ETag", '"x"')], []),
    "/teapot": ("418 I'm a teapot", [("Content-Length", "5")], [b"short"]),
}


def _answer(method: str, path: str, query: str, body: bytes) -> Page:
    if path in _PAGES:
        return _PAGES[path]
    echo = json.dumps([method, path, query, len(body), body[:100].hex()]).encode()
    return "200 OK", [("Content-Length", str(len(echo)))], [echo]


def wsgi(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer as WSGI; `Transfer-Encoding: chunked` arrives as `wsgi.input_terminated`."""
    length = environ.get("CONTENT_LENGTH")
    source = environ["wsgi.input"]
    is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "")
    body = source.read() if is_chunked else source.read(int(length or 0))
    method = environ["REQUEST_METHOD"]
    query = environ.get("QUERY_STRING", "")
    status, fields, parts = _answer(method, environ["PATH_INFO"], query, body)
    start_response(status, fields)
    return [] if method == "HEAD" else parts


async def asgi(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer as ASGI."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    method, query = scope["method"], scope["query_string"].decode()
    status, fields, parts = _answer(method, scope["path"], query, body)
    headers = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    code = int(status.split(" ")[0])
    await send({"type": "http.response.start", "status": code, "headers": headers})
    for part in [] if method == "HEAD" else parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
