"""The admin port: is it alive, is it ready, and if not, why. Never on the public port."""

from collections.abc import Callable

from aiohttp import web

ReadinessCheck = Callable[[], list[str]]


class Admin:
    """Answers `/livez` and `/readyz`. A class because it holds how to find out.

    Args:
        what_is_missing: Returns what keeps the sidecar from serving, in words; empty when ready.
    """

    def __init__(self, what_is_missing: ReadinessCheck) -> None:
        self._what_is_missing = what_is_missing

    def application(self) -> web.Application:
        """Make the application that the admin port serves."""
        app = web.Application()
        app.add_routes([web.get("/livez", self._livez), web.get("/readyz", self._readyz)])
        return app

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "live"}, headers={"Cache-Control": "no-store"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        missing = self._what_is_missing()
        return web.json_response(
            {"status": "not ready" if missing else "ready", "missing": missing},
            status=503 if missing else 200,
            headers={"Cache-Control": "no-store"},
        )
