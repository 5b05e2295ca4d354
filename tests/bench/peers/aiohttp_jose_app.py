"""A peer of the benchmark, written the obvious way. Nobody should use it: see ATTACKS.md.

It buffers whole responses and believes whatever `jwt.decode` believes.
"""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from jose import JWTError, jwt  # noqa: TID251 - this is what the peer is about

from tests.support import mint

UPSTREAM = os.environ["BENCH_UPSTREAM"]
JWKS: dict[str, Any] = json.loads(Path(os.environ["BENCH_JWKS"]).read_text())
SESSION = web.AppKey("session", aiohttp.ClientSession)
IDENTITY = ("X-Cognito-Sub", "X-Cognito-Username")
HOP_BY_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Content-Length")


def claims_of(token: str) -> dict[str, Any]:
    """Verify a token as python-jose's documentation shows it."""
    claims: dict[str, Any] = jwt.decode(
        token, JWKS, algorithms=["RS256"], issuer=mint.ISSUER, options={"verify_aud": False}
    )
    if claims.get("client_id") != mint.CLIENT_ID:
        raise JWTError
    return claims


async def forward(request: web.Request) -> web.Response:
    """Verify, replace the identity fields, and pass the request on."""
    fields = request.headers.copy()
    for name in (*IDENTITY, *HOP_BY_HOP):
        fields.popall(name, None)
    if "Authorization" in fields:
        try:
            claims = claims_of(fields["Authorization"].removeprefix("Bearer "))
        except JWTError:
            return web.json_response({"error": "invalid_token"}, status=401)
        fields["X-Cognito-Sub"] = claims["sub"]
        fields["X-Cognito-Username"] = claims["username"]
    body = await request.read() if request.can_read_body else None
    url = UPSTREAM + request.path_qs
    session = request.app[SESSION]
    async with session.request(request.method, url, headers=fields, data=body) as answer:
        kept = answer.headers.copy()
        for name in HOP_BY_HOP:
            kept.popall(name, None)
        return web.Response(status=answer.status, headers=kept, body=await answer.read())


async def hold_session(app: web.Application) -> AsyncIterator[None]:
    """Open the session to the backend, without a limit of connections."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        app[SESSION] = session
        yield


def make_app() -> web.Application:
    """Put the application together."""
    app = web.Application(client_max_size=1 << 20)
    app.cleanup_ctx.append(hold_session)
    app.router.add_route("*", "/{tail:.*}", forward)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), print=None)
