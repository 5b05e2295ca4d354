"""The decision alone, for a proxy that asks before it forwards: 200 with identity, or a refusal.

Only here are fields believed that say which request is meant, and only one way of saying it at a
time: a client can send the fields of the other way, and must not choose which are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from sidecar.errors import HeaderInvalid, MethodNotAllowed, RequestMalformed
from sidecar.identity.credentials import is_bearer
from sidecar.model import Anonymous, Caller, Field, RequestRecord
from sidecar.policy.routes import RouteTable
from sidecar.policy.target import parse_target
from sidecar.proxy import headers, response_headers
from sidecar.proxy.client import Client
from sidecar.proxy.framing import METHODS
from sidecar.proxy.headers import ClientFields
from sidecar.proxy.hops import Hops
from sidecar.proxy.identification import Identification

PATH = "/verify"
"""Asked by nginx, Traefik and Caddy; below it, with the original path behind, by Envoy."""

# nginx's configuration names its fields itself; Traefik and Caddy always send these.
_NGINX = (b"x-original-method", b"x-original-uri")
_TRAEFIK = (b"x-forwarded-method", b"x-forwarded-uri")

_ENVOY_REMOVES = b"X-Envoy-Auth-Headers-To-Remove"


class VerifyRules(Protocol):
    """What a decision is made by; see `gateway.Rules`."""

    @property
    def routes(self) -> RouteTable:
        """What is asked of the caller, by route."""
        ...

    @property
    def owned(self) -> frozenset[bytes]:
        """Lower-case names of the header mapping."""
        ...

    @property
    def forward_token(self) -> bool:
        """Whether the backend may see a token that proved the caller."""
        ...

    @property
    def hops(self) -> Hops:
        """Names requests."""
        ...

    @property
    def identification(self) -> Identification:
        """Who is calling."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that the proxy asks about.

    Attributes:
        method: Of the client's request.
        target: Of the client's request.
        is_envoy: Envoy asks, which takes fields away on request.
    """

    method: str
    target: str
    is_envoy: bool = False


async def verify(
    request: web.BaseRequest, client: Client, record: RequestRecord, rules: VerifyRules
) -> None:
    """Answer whether a request may go on, and as whom.

    Raises:
        RequestMalformed, HeaderInvalid, MethodNotAllowed: It is not clear which request is meant.
        SidecarError: What the request itself would get.
    """
    # A proxy that passes its client's `Connection` on would let it choose which of the fields that
    # name the request are taken away; nothing is forwarded from here, so nothing is hop-by-hop.
    asking = [pair for pair in request.raw_headers if pair[0].lower() != b"connection"]
    fields = headers.strip(asking, rules.owned)
    hop = rules.hops.describe(client.connection.peer, fields)
    record.request_id = hop.request_id.decode()
    asked = read_asked(request.method, request.raw_path, fields)
    record.method = asked.method
    target = parse_target(asked.method, asked.target)
    caller = await rules.identification.decide(rules.routes, target, fields, record)
    answer = [*_identity(caller), *response_headers.tell(caller, hop.request_id)]
    if asked.is_envoy:
        answer.append((_ENVOY_REMOVES, b",".join(_to_remove(caller, fields, rules))))
    client.answer(HTTPStatus.OK, answer, b"")


def read_asked(method: str, target: str, fields: ClientFields) -> Asked:
    """Find out which request the proxy asks about.

    Args:
        method: Of the proxy's own request.
        target: Of the proxy's own request.
        fields: From `headers.strip`.

    Raises:
        RequestMalformed: The target is not below `PATH`.
        HeaderInvalid: The fields of no way, or of two, or one of them twice.
        MethodNotAllowed: The method is none that is forwarded.
    """
    if target.startswith(f"{PATH}/"):
        asked = Asked(method, target.removeprefix(PATH), is_envoy=True)
    elif target == PATH:
        asked = _read_fields(fields)
    else:
        raise RequestMalformed("/verify, or /verify and a path")
    if asked.method not in METHODS:  # `get` is no GET to a rule, and may be one to the backend
        raise MethodNotAllowed("a method that is forwarded")
    return asked


def _read_fields(fields: ClientFields) -> Asked:
    ways = [[_values(fields, name) for name in names] for names in (_NGINX, _TRAEFIK)]
    used = [way for way in ways if any(way)]
    if len(used) != 1 or [len(values) for values in used[0]] != [1, 1]:
        raise HeaderInvalid(
            "X-Forwarded-Method and X-Forwarded-Uri, or X-Original-Method and X-Original-URI, "
            "each once"
        )
    (method,), (target,) = used[0]
    return Asked(method.decode("latin-1"), target.decode("latin-1"))


def _values(fields: ClientFields, name: bytes) -> Sequence[bytes]:
    kept = [value for kept_name, value in fields.kept if kept_name.lower() == name]
    return [*kept, *fields.values(name)]


def _identity(caller: Caller) -> Sequence[Field]:
    return () if isinstance(caller, Anonymous) else caller.fields


def _to_remove(caller: Caller, fields: ClientFields, rules: VerifyRules) -> list[bytes]:
    """Name what the client may have sent and the backend must not see: Envoy only adds."""
    given = {name.lower() for name, _ in _identity(caller)}
    names = sorted(rules.owned - given)
    is_forwarded = rules.forward_token and not isinstance(caller, Anonymous)
    if not is_forwarded and any(map(is_bearer, fields.values(b"authorization"))):
        names.append(b"authorization")
    return names
