"""One request, top to bottom. The only place that catches our errors."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

from sidecar.errors import RequestError, SidecarError
from sidecar.model import RequestRecord
from sidecar.policy.routes import RouteTable
from sidecar.policy.target import parse_target
from sidecar.proxy import headers, refusal
from sidecar.proxy.downstream import Client
from sidecar.proxy.framing import check_framing
from sidecar.proxy.headers import ClientFields, Hop
from sidecar.proxy.identification import Identification
from sidecar.proxy.relay import Outgoing, relay
from sidecar.proxy.upstream import UpstreamPool


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about carrying a request.

    Attributes:
        routes: What is asked of the caller, by route.
        owned: Lower-case names of the header mapping.
        forward_token: Whether the backend may see a token that proved the caller.
        cors_origins: Origins whose browsers may read our refusals.
        trusted_proxies: Peers whose `X-Forwarded-*` are believed.
    """

    routes: RouteTable
    owned: frozenset[bytes]
    forward_token: bool
    cors_origins: frozenset[bytes]
    trusted_proxies: Collection[IPv4Network | IPv6Network]


class Gateway:
    """Carries requests to the backend. A class because it holds what all requests share.

    Args:
        rules: What the settings say.
        identification: Who is calling.
        upstream: Connections to the backend.
        observe: Told of every request once it is over.
    """

    def __init__(
        self,
        rules: Rules,
        identification: Identification,
        upstream: UpstreamPool,
        observe: Callable[[RequestRecord], None],
    ) -> None:
        self._rules = rules
        self._identification = identification
        self._upstream = upstream
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._request_id_prefix = secrets.token_hex(8).encode()
        self._request_count = itertools.count(1)
        self.is_draining = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it is."""
        client = Client(request)
        if self.is_draining:
            client.close_after()
        record = RequestRecord(request.method, self._loop.time())
        try:
            await self._carry(request, client, record)
        except SidecarError as error:
            self._refuse(error, request, client, record)
        except ConnectionError:  # the client left; there is nobody to tell
            client.abort()
        finally:
            self._finish(client, record)
        return client.sent()

    def refuse_unreadable(
        self, request: web.BaseRequest, error: SidecarError
    ) -> web.StreamResponse:
        """Answer what could not be read as a request; the connection is closed after it."""
        client = Client(request)
        record = RequestRecord("", self._loop.time())
        record.request_id = self._make_request_id().decode()
        client.close_after()
        self._refuse(error, request, client, record)
        self._finish(client, record)
        return client.sent()

    async def _carry(self, request: web.BaseRequest, client: Client, record: RequestRecord) -> None:
        fields = headers.strip(request.raw_headers, self._rules.owned)
        hop = self._hop(request, fields)
        record.request_id = hop.request_id.decode()
        framing = check_framing(request.method, request.version, fields)
        target = parse_target(request.raw_path)
        record.path = target.path
        route = self._rules.routes.match(request.method, target)
        record.caller = await self._identification.identify(request.method, fields, route)
        start_line = f"{request.method} {target.raw} HTTP/1.1".encode("ascii")
        ours = headers.inject(fields, record.caller, hop, forward_token=self._rules.forward_token)
        head = headers.serialise(start_line, [*ours, *framing.fields])
        told = headers.tell(record.caller, hop.request_id)
        await relay(Outgoing(request, head, framing), self._upstream, client, told)

    def _hop(self, request: web.BaseRequest, fields: ClientFields) -> Hop:
        peer = request.remote or ""
        trusted = self._rules.trusted_proxies
        is_trusted = bool(trusted and peer) and any(ip_address(peer) in net for net in trusted)
        offered = fields.values(b"x-request-id")
        request_id = headers.choose_request_id(offered, self._make_request_id())
        return Hop(peer.encode(), is_trusted, request_id)

    def _make_request_id(self) -> bytes:
        return b"%b-%x" % (self._request_id_prefix, next(self._request_count))

    def _refuse(
        self, error: SidecarError, request: web.BaseRequest, client: Client, record: RequestRecord
    ) -> None:
        record.reason = error.reason
        if client.has_answer:
            client.abort()
            return
        if isinstance(error, RequestError):
            client.close_after()
        origin = request.headers.get("Origin", "").encode("utf-8", "replace")
        allowed_origin = origin if origin in self._rules.cors_origins else None
        refused = refusal.word(error, record.request_id, allowed_origin)
        told = headers.tell(record.caller, record.request_id.encode(), error.reason)
        with contextlib.suppress(ConnectionError):
            client.answer(refused.status, [*refused.fields, *told], refused.body)

    def _finish(self, client: Client, record: RequestRecord) -> None:
        if client.has_answer and not client.is_answered:
            client.abort()
        record.status = client.status
        record.duration_s = self._loop.time() - record.started_at
        self._observe(record)
