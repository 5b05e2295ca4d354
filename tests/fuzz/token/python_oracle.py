"""One Python verifier in a process of its own; speaks as `oracles/judge.mjs` does.

Each is set up with every check it offers and those that Cognito's guide asks for: issuer, client,
token use. Their clocks are stopped at the time of the tokens.
"""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import jose.exceptions
import joserfc.errors
import joserfc.jwk
import joserfc.jwt
import jwt
import jwt.api_jwt
from jose import jwt as jose_jwt  # noqa: TID251 - here it is the subject

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Oracle:
    """A verifier.

    Attributes:
        claims_of: Returns the claims of a token that it accepts; raises for another.
        own_errors: What it raises by design; all else is a crash.
    """

    claims_of: Callable[[str], Mapping[str, Any]]
    own_errors: tuple[type[Exception], ...]


class _Refused(Exception):
    """Said by the few lines around a library that every user has to write."""


def py_jwt(settings: Settings) -> Oracle:
    """Set up PyJWT."""
    keys = {entry["kid"]: jwt.PyJWK(entry) for entry in settings["jwks"]["keys"]}

    def claims_of(token: str) -> Mapping[str, Any]:
        kid = jwt.get_unverified_header(token).get("kid")
        if kid not in keys:
            raise _Refused
        claims: Mapping[str, Any] = jwt.decode(
            token,
            keys[kid],
            algorithms=["RS256"],
            issuer=settings["issuer"],
            options={"require": ["exp", "iss", "sub"], "verify_aud": False},
        )
        return claims

    return Oracle(claims_of, (jwt.PyJWTError, _Refused))


def joserfc_jwt(settings: Settings) -> Oracle:
    """Set up joserfc."""
    keys = joserfc.jwk.KeySet.import_key_set(settings["jwks"])
    rules = joserfc.jwt.JWTClaimsRegistry(
        now=settings["now"],
        iss={"essential": True, "value": settings["issuer"]},
        sub={"essential": True},
        exp={"essential": True},
        token_use={"essential": True, "value": "access"},
        client_id={"essential": True, "value": settings["client_id"]},
    )

    def claims_of(token: str) -> Mapping[str, Any]:
        decoded = joserfc.jwt.decode(token, keys, algorithms=["RS256"])
        rules.validate(decoded.claims)
        return decoded.claims

    return Oracle(claims_of, (joserfc.errors.JoseError,))


def python_jose(settings: Settings) -> Oracle:
    """Set up python-jose the way most of its users do."""

    def claims_of(token: str) -> Mapping[str, Any]:
        return jose_jwt.decode(
            token, settings["jwks"], algorithms=["RS256"], issuer=settings["issuer"]
        )

    return Oracle(claims_of, (jose.exceptions.JOSEError,))


MAKERS = {"PyJWT": py_jwt, "joserfc": joserfc_jwt, "python-jose": python_jose}


def stop_clocks(now: float) -> None:
    """Let the libraries that read a clock read this time."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Stopped":
            return cls.fromtimestamp(now, tz)

    jwt.api_jwt.datetime = Stopped  # type: ignore[attr-defined] # not ours, and meant
    jose_jwt.datetime = Stopped  # type: ignore[attr-defined] # as above


def judge(oracle: Oracle, settings: Settings, token: str) -> str:
    """Return A, R or C."""
    try:
        claims = oracle.claims_of(token)
    except oracle.own_errors:
        return "R"
    except Exception:  # noqa: BLE001 - whatever else comes out is the finding
        return "C"
    is_ours = (
        claims.get("token_use") == "access" and claims.get("client_id") == settings["client_id"]
    )
    return "A" if is_ours else "R"


def main() -> None:
    """Judge the batches on standard input."""
    settings = json.loads(sys.stdin.readline())
    stop_clocks(settings["now"])
    oracle = MAKERS[sys.argv[1]](settings)
    for line in sys.stdin:
        tokens = (base64.b64decode(part).decode("latin-1") for part in line.split(","))
        sys.stdout.write("".join(judge(oracle, settings, token) for token in tokens) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
