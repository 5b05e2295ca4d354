"""A server of JWKS documents that can be told how to misbehave."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.mint import jwks

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class KeyServer:
    """Serves `document`, or whatever `answer` makes; counts the fetches."""

    def __init__(self) -> None:
        self.document = jwks()
        self.status = 200
        self.answer: Answer | None = None
        self.fetches = 0
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._serve)
        self._server = TestServer(app)

    async def start(self) -> "KeyServer":
        """Listen on a free port."""
        await self._server.start_server()
        return self

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.close()

    @property
    def url(self) -> str:
        """Where the document is."""
        return str(self._server.make_url("/jwks.json"))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.fetches += 1
        if self.answer is not None:
            return await self.answer(request)
        return web.Response(body=self.document, status=self.status, content_type="application/json")
