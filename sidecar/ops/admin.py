"""The admin port: health, metrics and a page for whoever is on call. Never on the public port."""

import base64
import hashlib
import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from aiohttp import hdrs, web

from sidecar.ops.guard import is_loopback_host, is_own_host, is_same_origin

MAX_QUESTION_BYTES = 32 * 1024
"""Of a question about a token, which has 8 KiB at most."""

ReadinessCheck = Callable[[], Awaitable[list[str]]]
Explainer = Callable[[Mapping[str, str]], Awaitable[Mapping[str, object]]]

_PAGE = files("sidecar.ops").joinpath("admin.html").read_bytes()


class NobodyAnswers(Exception):
    """A question about a token found nobody who has keys."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the answers come from. They may have to be asked for in other processes.

    Attributes:
        what_is_missing: Returns what keeps the sidecar from serving, in words; empty when ready.
        metrics: Returns them in Prometheus's text format.
        status: Returns all that the page shows.
        explain: Answers a question about a token: `token`, `path`, `method`; may raise
            NobodyAnswers.
        own_name: The name that is listened on.
    """

    what_is_missing: ReadinessCheck
    metrics: Callable[[], Awaitable[bytes]]
    status: Callable[[], Awaitable[Mapping[str, object]]]
    explain: Explainer
    own_name: str = ""


class Admin:
    """Answers on the admin port. A class because it holds where the answers come from."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def application(self) -> web.Application:
        """Make the application that the admin port serves."""
        app = web.Application(client_max_size=MAX_QUESTION_BYTES)
        app.add_routes(
            [
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
                web.get("/", self._for_own_pages(self._page)),
                web.get("/status.json", self._for_own_pages(self._status)),
                web.post("/explain", self._for_own_pages(self._explain)),
            ]
        )
        app.on_response_prepare.append(_harden)
        return app

    async def _livez(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "live"})

    async def _readyz(self, _request: web.Request) -> web.StreamResponse:
        missing = await self._sources.what_is_missing()
        return web.json_response(
            {"status": "not ready" if missing else "ready", "missing": missing},
            status=503 if missing else 200,
        )

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return web.Response(body=await self._sources.metrics(), headers={"Content-Type": kind})

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        headers = {"Content-Security-Policy": _POLICY, "X-Frame-Options": "DENY"}
        return web.Response(body=_PAGE, content_type="text/html", charset="utf-8", headers=headers)

    async def _status(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._sources.status())

    async def _explain(self, request: web.Request) -> web.StreamResponse:
        if not _comes_from_here(request):
            return _forbidden("tokens are explained on this machine only: use localhost")
        if request.content_type != "application/json":  # which no form of another site can send
            return web.json_response({"error": "expected JSON"}, status=415)
        try:
            question = json.loads(await request.text())
        except (ValueError, RecursionError):
            return web.json_response({"error": "expected JSON"}, status=400)
        if not _is_question(question):
            return web.json_response({"error": "expected texts by name"}, status=400)
        try:
            return web.json_response(await self._sources.explain(question))
        except NobodyAnswers:
            return web.json_response({"error": "no worker is up; try again"}, status=503)

    def _for_own_pages(self, handler: "Handler") -> "Handler":
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not is_own_host(request.headers.get("Host", ""), self._sources.own_name):
                return _forbidden("open this page by address, or by a name without dots")
            if not is_same_origin(request.headers):
                return _forbidden("this page answers no other site")
            return await handler(request)

        return guarded


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.popall(hdrs.SERVER, None)


def _comes_from_here(request: web.Request) -> bool:
    peer = request.remote
    try:
        is_near = not peer or ipaddress.ip_address(peer).is_loopback
    except ValueError:  # a Unix socket has no address, whatever its other end calls itself
        is_near = True
    return is_near and is_loopback_host(request.headers.get("Host", ""))


def _is_question(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _forbidden(why: str) -> web.Response:
    return web.json_response({"error": why}, status=403)


def _hashes(page: bytes, element: bytes) -> str:
    """Name the inline scripts or styles of the page, so that no other one ever runs (CSP3)."""
    inline = re.findall(rb"<%b>(.*?)</%b>" % (element, element), page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in inline]
    return " ".join(f"'sha256-{digest}'" for digest in digests)


_POLICY = (
    f"default-src 'none'; script-src {_hashes(_PAGE, b'script')}; style-src "
    f"{_hashes(_PAGE, b'style')}; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
