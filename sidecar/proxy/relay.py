"""One exchange: the request to the backend, its response to the client, neither ever held whole."""

import asyncio
from collections.abc import Coroutine, Sequence
from time import monotonic
from typing import NamedTuple

from sidecar.errors import HeaderInvalid, UpstreamBroken
from sidecar.model import Field, RequestRecord
from sidecar.proxy import heads, websocket
from sidecar.proxy.client import Client
from sidecar.proxy.framing import LAST_CHUNK, SAFE_METHODS, Framing, chunk
from sidecar.proxy.limits import ClientLimits, ClientTimeouts
from sidecar.proxy.response_head import SWITCHING, ResponseHead
from sidecar.proxy.upload import Upload
from sidecar.proxy.upstream import UpstreamPool
from sidecar.proxy.upstream_connection import StaleConnection, UpstreamConnection


class Outgoing(NamedTuple):
    """A request that may go to the backend.

    A tuple because one is made for every request, in half a frozen dataclass's time.

    Attributes:
        method: As received.
        head: Start line and fields for the backend, without the empty line.
        framing: How the body is delimited.
        told: Our own fields for the response.
        record: Where sizes and the backend's time are noted.
        lifetime_s: How long a WebSocket may last from the request on; None sets no limit.
    """

    method: str
    head: bytes
    framing: Framing
    told: Sequence[Field]
    record: RequestRecord
    lifetime_s: float | None = None


class Relay:
    """Carries exchanges. A class because it holds what all of them share.

    Args:
        pool: Connections to the backend.
        timeouts: How long a client may take.
        limits: How much it may send.
    """

    def __init__(self, pool: UpstreamPool, timeouts: ClientTimeouts, limits: ClientLimits) -> None:
        self._pool = pool
        self._timeouts = timeouts
        self._limits = limits

    def carry(self, outgoing: Outgoing, client: Client) -> Coroutine[None, None, None]:
        """Send a request to the backend and its response to the client.

        Raises:
            UpstreamError: The backend gave no usable answer, or broke off in the middle of it.
            RequestError: The client's body is too large, too slow or not framed as announced.
            Overloaded: There are too many connections to the backend.
            ConnectionResetError: The client is gone.
        """
        if outgoing.framing.is_last:
            client.close_after()
        if outgoing.framing.has_body:
            return self._carry_body(outgoing, client)
        return self._exchange(outgoing, client, outgoing.head + b"\r\n", None)

    async def _carry_body(self, outgoing: Outgoing, client: Client) -> None:
        body = Upload(client, outgoing.framing, self._timeouts, self._limits.body_bytes)
        try:
            beginning, is_whole = await body.begin()
            data = outgoing.head + b"\r\n" + beginning
            await self._exchange(outgoing, client, data, None if is_whole else body)
        finally:
            outgoing.record.received_bytes = client.content.total_bytes

    async def _exchange(
        self, outgoing: Outgoing, client: Client, data: bytes, body: Upload | None
    ) -> None:
        """Send `data`, and then what is left of `body`, and the response to the client."""
        record = outgoing.record
        asked_at = monotonic()
        upstream = self._pool.take() or await self._pool.open()
        rest = None
        try:
            try:
                _start(upstream, outgoing, data, is_whole=body is None)
                if body is not None:
                    rest = asyncio.ensure_future(body.send_rest(upstream))
                while (response := upstream.head_at_hand()) is None:
                    await upstream.arrival()
            except StaleConnection as stale:
                upstream = await self._ask_again(stale, upstream, outgoing, data)
                response = await upstream.head()
            if response.is_interim:
                response = await _final_head(response, upstream, client)
            record.upstream_at = asked_at
            record.upstream_s = monotonic() - asked_at
            record.is_upstream_reused = upstream.is_reused
            if rest is not None and not rest.done():  # answered early: the rest may go unread
                client.close_after()
            if response.status == SWITCHING:
                await self._tunnel(outgoing, upstream, response, client)
            elif upstream.is_complete:
                _send_whole(upstream, response, client, outgoing.told)
            else:
                await _send_on(upstream, response, client, outgoing.told)
        except BaseException:  # whatever came of the answer, it is nobody else's
            upstream.close()
            raise
        finally:
            if rest is not None:
                _stop(rest, upstream)
            self._pool.release(upstream)

    async def _ask_again(
        self, stale: StaleConnection, dead: UpstreamConnection, outgoing: Outgoing, data: bytes
    ) -> UpstreamConnection:
        """Send a request over a new connection; raises `stale` if it may not be sent again."""
        if not _is_repeatable(outgoing):
            raise stale
        self._pool.release(dead)
        upstream = await self._pool.open()
        _start(upstream, outgoing, data, is_whole=True)
        return upstream

    async def _tunnel(
        self,
        outgoing: Outgoing,
        upstream: UpstreamConnection,
        response: ResponseHead,
        client: Client,
    ) -> None:
        switch = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
        client.begin(response.status, _head_for(response, [*switch, *outgoing.told]))
        tunnel = websocket.Tunnel(client, upstream, self._limits.message_bytes)
        left_s = outgoing.lifetime_s
        if left_s is not None:  # the token's time ran while the backend thought about it
            left_s = max(0.0, left_s - (monotonic() - outgoing.record.started_at))
        await tunnel.run(left_s)
        client.close_after()
        client.finish()


def _start(
    upstream: UpstreamConnection, outgoing: Outgoing, data: bytes, *, is_whole: bool
) -> None:
    is_head, is_handshake = outgoing.method == "HEAD", outgoing.framing.is_handshake
    upstream.start(data, is_whole=is_whole, is_head=is_head, is_handshake=is_handshake)


def _is_repeatable(outgoing: Outgoing) -> bool:
    """Tell whether a request may be sent again that nobody has answered a byte to."""
    return outgoing.method in SAFE_METHODS and not outgoing.framing.has_body


def _stop(rest: "asyncio.Future[None]", upstream: UpstreamConnection) -> None:
    if not rest.done():
        rest.cancel()
        upstream.close()


async def _final_head(
    head: ResponseHead, upstream: UpstreamConnection, client: Client
) -> ResponseHead:
    """Wait for the final response; pass interim ones on to clients that know them."""
    while head.is_interim:
        if client.is_modern:
            client.write(_head_for(head, ()))
        head = await upstream.head()
    return head


def _send_whole(
    upstream: UpstreamConnection, response: ResponseHead, client: Client, told: Sequence[Field]
) -> None:
    """Send a response that has arrived, in one write."""
    head = _head_for(response, [*told, *_framing(response, client)])
    body = upstream.take()
    if _needs_chunks(response, client):
        body = chunk(body) + LAST_CHUNK
    client.send_whole(response.status, head + body)


async def _send_on(
    upstream: UpstreamConnection, response: ResponseHead, client: Client, told: Sequence[Field]
) -> None:
    """Send a response on as it arrives, as fast as the client reads it."""
    is_chunked = _needs_chunks(response, client)
    client.begin(response.status, _head_for(response, [*told, *_framing(response, client)]))
    while data := await upstream.read():
        client.write(chunk(data) if is_chunked else data)
        await client.drain()
    if is_chunked:
        client.write(LAST_CHUNK)
    client.finish()


def _head_for(response: ResponseHead, ours: Sequence[Field]) -> bytes:
    try:
        response.written = response.written or _write(response)
        return heads.extend(response.written, ours) + b"\r\n"
    except HeaderInvalid as error:
        raise UpstreamBroken("fields without line breaks") from error


def _write(response: ResponseHead) -> bytes:
    theirs = response.fields
    if response.length is None or response.status in _NO_LENGTH:
        theirs = [pair for pair in theirs if pair[0].lower() != b"content-length"]
    return heads.serialise(heads.status_line(response.status, response.reason), theirs)


_NO_LENGTH = frozenset({SWITCHING, 204})  # RFC 9110 §8.6


def _needs_chunks(response: ResponseHead, client: Client) -> bool:
    return response.has_body and response.length is None and client.is_modern


def _framing(response: ResponseHead, client: Client) -> Sequence[Field]:
    """Choose how the body is delimited for the client: as the backend did, where it can be."""
    framing: list[Field] = []
    if response.length is None:
        is_chunked = response.is_chunked and response.status not in _NO_LENGTH
        if client.is_modern and (response.has_body or is_chunked):
            framing.append((b"Transfer-Encoding", b"chunked"))
        elif response.has_body:
            client.close_after()
    if not client.keeps_alive:
        framing.append((b"Connection", b"close"))
    return framing
