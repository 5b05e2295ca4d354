"""The sidecar's decision inside a WSGI application, for those who cannot run a sidecar beside it.

    from sidecar.wsgi import CognitoIdentity
    app.wsgi_app = CognitoIdentity(app.wsgi_app)

Same settings, same identity core, same fields. What a proxy of its own also does, this cannot:
framing, limits, time-outs and header spellings are the business of the WSGI server in front, and
code in the same process can do as it likes.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import quote

from sidecar import assembly
from sidecar.background import IdentityThread
from sidecar.config import Settings, load
from sidecar.errors import NotImplementedHere, PolicyError, SidecarError
from sidecar.identity.credentials import is_bearer
from sidecar.model import Anonymous, Caller, Field
from sidecar.policy.target import parse_target
from sidecar.proxy import headers, refusal
from sidecar.proxy.framing import METHODS
from sidecar.proxy.headers import ClientFields
from sidecar.proxy.response_headers import AUTH_FIELD, REQUEST_ID_FIELD, tell

if TYPE_CHECKING:  # wsgiref.types is for type checkers; the names are PEP 3333's
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

# What may stand in a path as it is (RFC 3986 §3.3, without `;`, which some read as parameters and
# which policy therefore calls ambiguous).
_PATH_CHARACTERS = "/~!$&'()*+,=:@-._"

_TOLD = frozenset(name.lower().decode() for name in (AUTH_FIELD, REQUEST_ID_FIELD))


class CognitoIdentity:
    """WSGI middleware: the application finds the sidecar's fields in its environ, and no others.

    A class because it owns the thread that has the keys; see `background`.

    Args:
        app: The application to protect.
        settings: As for the sidecar; read from environment and file if None.

    Raises:
        SettingsInvalid: Lists everything that is wrong with them.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings | None = None) -> None:
        chosen = settings or load({})
        self._app = app
        self._routes = assembly.make_routes(chosen)
        self._owned = frozenset(name.lower().encode() for name in chosen.headers)
        self._forward_token = chosen.forward_token
        self._cors_origins = frozenset(origin.encode() for origin in chosen.cors_origins)
        self._identity = IdentityThread(chosen)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request: by the application, or by a refusal of the sidecar's own."""
        offered = _values(environ, "HTTP_X_REQUEST_ID")
        request_id = headers.choose_request_id(offered, secrets.token_hex(12).encode())
        try:
            caller = self._identify(environ)
        except SidecarError as error:
            return self._refuse(error, request_id, environ, start_response)
        environ["HTTP_X_REQUEST_ID"] = request_id.decode()
        self._inject(environ, caller)
        return self._app(environ, _telling(start_response, tell(caller, request_id)))

    def close(self) -> None:
        """Stop fetching keys. A request after that starts it anew."""
        self._identity.close()

    def _identify(self, environ: "WSGIEnvironment") -> Caller:
        fields = headers.strip(_fields(environ), self._owned)
        _remove_what_was_stripped(environ, fields)
        method = environ["REQUEST_METHOD"]
        if method not in METHODS:  # werkzeug would read `get` as GET, past the rules for GET
            raise NotImplementedHere("a method of RFC 9110 or RFC 5789")
        route = self._routes.match(method, parse_target(method, _path(environ)))
        return self._identity.identify(method, fields, route)

    def _inject(self, environ: "WSGIEnvironment", caller: Caller) -> None:
        is_proven = not isinstance(caller, Anonymous)
        if not (is_proven and self._forward_token):
            for value in _values(environ, "HTTP_AUTHORIZATION"):
                if is_bearer(value):
                    del environ["HTTP_AUTHORIZATION"]
        if not isinstance(caller, Anonymous):
            environ.update({_key(name): value.decode("latin-1") for name, value in caller.fields})

    def _refuse(
        self,
        error: SidecarError,
        request_id: bytes,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN", "").encode("latin-1")
        allowed = origin if origin in self._cors_origins else None
        refused = refusal.word(error, request_id.decode(), allowed)
        caller = error.caller if isinstance(error, PolicyError) else Anonymous()
        told = tell(caller, request_id, error.reason)
        length = (b"Content-Length", str(len(refused.body)).encode())
        start_response(
            f"{refused.status} {HTTPStatus(refused.status).phrase}",
            _texts([*refused.fields, length, *told]),
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [refused.body]


def _fields(environ: "WSGIEnvironment") -> list[Field]:
    """Read the request's fields back. The server has folded `_` and `-` into one by now."""
    return [
        (name[5:].replace("_", "-").lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]


def _remove_what_was_stripped(environ: "WSGIEnvironment", fields: ClientFields) -> None:
    left = {_key(name) for name, _ in fields.kept} | {_key(name) for name in fields.taken_out}
    for name in [name for name in environ if name.startswith("HTTP_") and name not in left]:
        del environ[name]


def _path(environ: "WSGIEnvironment") -> str:
    """Write the path that the application routes by, in its one normal spelling."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return quote(path.encode("latin-1"), safe=_PATH_CHARACTERS) or "/"


def _telling(start_response: "StartResponse", told: Sequence[Field]) -> "StartResponse":
    """Add what the sidecar says to the application's answer, in place of what it says itself."""

    def start(
        status: str, fields: list[tuple[str, str]], exc_info: _ExcInfo | None = None
    ) -> Callable[[bytes], object]:
        kept = [pair for pair in fields if pair[0].lower() not in _TOLD]
        return start_response(status, [*kept, *_texts(told)], exc_info)

    return start


def _values(environ: "WSGIEnvironment", key: str) -> list[bytes]:
    return [environ[key].encode("latin-1")] if key in environ else []


def _key(name: bytes) -> str:
    return "HTTP_" + name.decode("latin-1").upper().replace("-", "_")


def _texts(fields: Iterable[Field]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
