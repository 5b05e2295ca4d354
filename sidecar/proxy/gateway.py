"""One request, top to bottom. The only place that catches our errors."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from aiohttp import web

from sidecar.errors import (
    Overloaded,
    PolicyError,
    RequestError,
    SidecarError,
    TokenError,
    VersionNotSupported,
)
from sidecar.model import Field, RequestRecord
from sidecar.policy.routes import RouteTable
from sidecar.policy.target import parse_target
from sidecar.proxy import headers, heads, refusal, response_headers
from sidecar.proxy.client import Client, own_answer
from sidecar.proxy.framing import check_framing
from sidecar.proxy.hops import Hops
from sidecar.proxy.identification import Identification
from sidecar.proxy.outbox import Outbox
from sidecar.proxy.relay import Outgoing, Relay
from sidecar.proxy.verify import verify

Work = Callable[[web.BaseRequest, Client, RequestRecord], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about carrying a request.

    Attributes:
        routes: What is asked of the caller, by route.
        owned: Lower-case names of the header mapping.
        forward_token: Whether the backend may see a token that proved the caller.
        cors_origins: Origins whose browsers may read our refusals.
        hops: Whose `X-Forwarded-*` are believed, and what a request is called.
        max_requests: In flight at once.
        max_fields_bytes: Of all fields of a request together.
        websocket_expiry: Whether a WebSocket ends with the token that opened it.
        identification: Who is calling.
    """

    routes: RouteTable
    owned: frozenset[bytes]
    forward_token: bool
    cors_origins: frozenset[bytes]
    hops: Hops
    max_requests: int
    max_fields_bytes: int
    websocket_expiry: bool
    identification: Identification


class Gateway:
    """Carries requests to the backend. A class because it holds what all requests share.

    Args:
        rules: What the settings say.
        relay: Carries exchanges with the backend.
        observe: Told of every request once it is over.
        outbox: Is told how many requests are under way.

    Attributes:
        rules: May be replaced; a request is carried by those it found when it began.
        is_draining: Every answer is the last one of its connection.
    """

    def __init__(
        self,
        rules: Rules,
        relay: Relay,
        observe: Callable[[RequestRecord], None],
        outbox: Outbox,
    ) -> None:
        self.rules = rules
        self._relay = relay
        self._observe = observe
        self._outbox = outbox
        self.is_draining = False

    @property
    def in_flight(self) -> int:
        """Requests that have begun and are not over."""
        return self._outbox.in_flight

    def handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Answer one request, whatever it is."""
        return self._serve(request, self._carry)

    def verify(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Answer a proxy that asks whether a request may go on; see `proxy.verify`."""
        return self._serve(request, self._decide)

    async def _serve(self, request: web.BaseRequest, work: Work) -> web.StreamResponse:
        client = Client(request)
        record = RequestRecord(request.method, monotonic())
        self._outbox.in_flight += 1
        try:
            self._admit(client)
            await work(request, client, record)
        except SidecarError as error:
            self._refuse(error, _origin(request), client, record)
        except ConnectionError:  # the client left; there is nobody to tell
            client.abort()
        finally:
            self._outbox.in_flight -= 1
            self._finish(client, record)
        if client.is_behind:
            try:
                await client.drain()
            except ConnectionResetError:
                client.close_after()
        return client.sent()

    def refuse_unreadable(
        self, request: web.BaseRequest, error: SidecarError
    ) -> web.StreamResponse:
        """Answer what could not be read as a request; the connection is closed after it."""
        client = Client(request)
        record = RequestRecord("", monotonic())
        client.close_after()
        self._refuse(error, refusal.find_origin(client.connection.latest), client, record)
        self._finish(client, record)
        return client.sent()

    def refuse_connection(self, error: SidecarError, latest: bytes) -> bytes:
        """Word the whole response to somebody who sent no request, or not all of one."""
        record = RequestRecord("", monotonic(), reason=error.reason, status=error.status)
        record.request_id = self.rules.hops.make_request_id().decode()
        origin = self._allowed(refusal.find_origin(latest))
        refused = refusal.word(error, record.request_id, origin)
        told = response_headers.tell(record.caller, record.request_id.encode(), error.reason)
        fields = [*refused.fields, *told]
        answer = own_answer(error.status, fields, len(refused.body), keeps_alive=False)
        record.sent_bytes = len(answer) + len(refused.body)
        self._observe(record)
        return answer + refused.body

    async def _carry(self, request: web.BaseRequest, client: Client, record: RequestRecord) -> None:
        rules = self.rules
        headers.check_size(request.raw_headers, rules.max_fields_bytes)
        fields = headers.strip(request.raw_headers, rules.owned)
        record.dropped_fields = fields.dropped
        if fields.traceparent:
            headers.note_trace(fields.traceparent, record)
        hop = rules.hops.describe(client.connection.peer, fields)
        record.request_id = hop.request_id.decode()
        framing = check_framing(request.method, request.version, fields)
        target = parse_target(request.method, request.raw_path)
        caller = await rules.identification.decide(rules.routes, target, fields, record)
        start_line = f"{request.method} {target.raw} HTTP/1.1".encode("ascii")
        ours = headers.inject(fields, caller, hop, forward_token=rules.forward_token)
        head = heads.serialise(start_line, [*ours, *framing.fields])
        told: Sequence[Field] = response_headers.tell(caller, hop.request_id)
        if rules.cors_origins and _origin(request) in rules.cors_origins:
            told = (*told, refusal.EXPOSES_AUTH)
        lifetime_s = None
        if framing.is_handshake and rules.websocket_expiry:
            lifetime_s = rules.identification.time_left_s(caller)
        outgoing = Outgoing(request.method, head, framing, told, record, lifetime_s)
        await self._relay.carry(outgoing, client)

    async def _decide(
        self, request: web.BaseRequest, client: Client, record: RequestRecord
    ) -> None:
        await verify(request, client, record, self.rules)

    def _admit(self, client: Client) -> None:
        if self.is_draining:
            client.close_after()
        if client.connection.is_foreign:
            raise VersionNotSupported("HTTP/1.1")
        if self.in_flight > self.rules.max_requests:
            raise Overloaded("fewer requests at once")

    def _refuse(
        self, error: SidecarError, origin: bytes, client: Client, record: RequestRecord
    ) -> None:
        record.reason = error.reason
        caller = record.caller
        if isinstance(error, TokenError):
            record.kid, record.pool_id = error.kid, error.pool_id
        elif isinstance(error, PolicyError):
            caller = error.caller
            record.kid, record.pool_id = caller.kid, caller.pool_id
            record.subject_digest = caller.subject_digest
        if client.has_answer:
            client.abort()
            return
        if isinstance(error, RequestError):
            client.close_after()
        record.request_id = record.request_id or self.rules.hops.make_request_id().decode()
        refused = refusal.word(error, record.request_id, self._allowed(origin))
        told = response_headers.tell(caller, record.request_id.encode(), error.reason)
        with contextlib.suppress(ConnectionError):
            client.answer(refused.status, [*refused.fields, *told], refused.body)

    def _allowed(self, origin: bytes) -> bytes | None:
        """Return the origin whose browser may read a refusal; one unknown may be the only one."""
        origins = self.rules.cors_origins
        if origin in origins:
            return origin
        # Naming an origin harms nobody: a browser compares it with its own.
        return next(iter(origins)) if not origin and len(origins) == 1 else None

    def _finish(self, client: Client, record: RequestRecord) -> None:
        if client.has_answer and not client.is_answered:
            client.abort()
        record.status = client.status
        record.sent_bytes = client.sent_bytes
        record.duration_s = monotonic() - record.started_at
        self._observe(record)


def _origin(request: web.BaseRequest) -> bytes:
    return request.headers.get("Origin", "").encode("utf-8", "replace")
