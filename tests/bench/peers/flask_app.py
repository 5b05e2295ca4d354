"""Two views that answer the same: one is told who is calling, one finds out as tutorials do."""

import json
import os
from pathlib import Path
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue
from jose import JWTError, jwt  # noqa: TID251 - this is what the peer is about

from tests.support import mint

FILLER = "x" * 960  # makes the answer about 1 KiB, as nginx's
JWKS: dict[str, Any] = json.loads(Path(os.environ["BENCH_JWKS"]).read_text())


def plain() -> Flask:
    """Make the application behind a sidecar: it reads two request fields."""
    app = Flask(__name__)

    @app.get("/api/feed")
    def feed() -> ResponseReturnValue:
        return _answer(
            request.headers.get("X-Cognito-Sub"), request.headers.get("X-Cognito-Username")
        )

    return app


def verifying() -> Flask:
    """Make the application that verifies the token in its view."""
    app = Flask(__name__)

    @app.get("/api/feed")
    def feed() -> ResponseReturnValue:
        field = request.headers.get("Authorization")
        if field is None:
            return _answer(None, None)
        try:
            claims = _claims_of(field.removeprefix("Bearer "))
        except JWTError:
            return {"error": "invalid_token"}, 401
        return _answer(claims["sub"], claims["username"])

    return app


def _claims_of(token: str) -> dict[str, Any]:
    kid = jwt.get_unverified_header(token)["kid"]
    key = next((key for key in JWKS["keys"] if key["kid"] == kid), None)
    if key is None:
        raise JWTError
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], issuer=mint.ISSUER)
    if claims.get("client_id") != mint.CLIENT_ID:
        raise JWTError
    return claims


def _answer(sub: str | None, username: str | None) -> dict[str, Any]:
    return {"sub": sub, "username": username, "filler": FILLER}
