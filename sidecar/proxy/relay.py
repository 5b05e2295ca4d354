"""Bodies, both ways, never held whole: what the receiver does not read makes the sender wait."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from sidecar.errors import HeaderInvalid, RequestMalformed, UpstreamBroken, UpstreamError
from sidecar.model import Field
from sidecar.proxy import headers
from sidecar.proxy.downstream import Client
from sidecar.proxy.framing import SAFE_METHODS, Framing
from sidecar.proxy.upstream import UpstreamPool
from sidecar.proxy.upstream_connection import ResponseHead, UpstreamConnection

_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that may go to the backend.

    Attributes:
        request: The client's, for its method and its body.
        head: Start line and fields for the backend, without the empty line.
        framing: How the body is delimited.
    """

    request: web.BaseRequest
    head: bytes
    framing: Framing


async def relay(
    outgoing: Outgoing, pool: UpstreamPool, client: Client, told: Sequence[Field]
) -> None:
    """Send a request to the backend and its response to the client.

    Args:
        outgoing: The request.
        pool: Connections to the backend.
        client: Who gets the response.
        told: Our own fields for the response.

    Raises:
        UpstreamError: The backend gave no usable answer, or broke off in the middle of it.
        RequestMalformed: The client's body is not framed as announced.
        ConnectionResetError: The client is gone.
    """
    framing, method = outgoing.framing, outgoing.request.method
    if framing.expects_continue:
        client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    content = outgoing.request.content
    body, is_whole = _take_body_at_hand(content, framing)
    upstream = await pool.send(
        outgoing.head + b"\r\n" + body,
        is_head=method == "HEAD",
        is_repeatable=method in SAFE_METHODS and not framing.has_body,
    )
    upload = None
    try:
        if not is_whole:
            upload = asyncio.ensure_future(_send_rest(content, framing, upstream))
        response = await upstream.head()
        if upload is not None and not upload.done():  # answered early: the rest is not wanted
            client.close_after()
        await _send_back(upstream, response, client, told)
    finally:
        if upload is not None and not upload.done():
            upload.cancel()
            upstream.close()
        pool.release(upstream)


def _take_body_at_hand(content: StreamReader, framing: Framing) -> tuple[bytes, bool]:
    """Take what has arrived of a body, framed for the backend, and tell whether that is all."""
    if not framing.has_body:
        return b"", True
    is_whole = content.is_eof()
    data = _frame(content.read_nowait(), is_chunked=framing.is_chunked)
    return (data + _LAST_CHUNK if is_whole and framing.is_chunked else data), is_whole


async def _send_rest(content: StreamReader, framing: Framing, upstream: UpstreamConnection) -> None:
    # An error ends the connection to the backend, and so reaches whoever waits for its response.
    try:
        while data := await content.readany():
            upstream.write(_frame(data, is_chunked=framing.is_chunked))
            await upstream.drain()
        if framing.is_chunked:
            upstream.write(_LAST_CHUNK)
    except (HttpProcessingError, web.RequestPayloadError):
        upstream.fail(RequestMalformed("a body in its announced framing"))
    except UpstreamError as error:
        upstream.fail(error)


async def _send_back(
    upstream: UpstreamConnection, response: ResponseHead, client: Client, told: Sequence[Field]
) -> None:
    """Send the response to the client: in one write if it is at hand, else as it arrives."""
    is_chunked, framing = _response_framing(response, client)
    head = _response_head(response, [*told, *framing])
    if upstream.is_complete:
        body = _frame(upstream.take(), is_chunked=is_chunked)
        client.begin(response.status, head + body + (_LAST_CHUNK if is_chunked else b""))
        client.finish()
        return
    client.begin(response.status, head)
    while data := await upstream.read():
        client.write(_frame(data, is_chunked=is_chunked))
        await client.drain()
    if is_chunked:
        client.write(_LAST_CHUNK)
    client.finish()


def _response_head(response: ResponseHead, ours: Sequence[Field]) -> bytes:
    line = headers.status_line(response.status, response.reason)
    try:
        return headers.serialise(line, [*headers.strip_response(response.fields), *ours]) + b"\r\n"
    except HeaderInvalid as error:
        raise UpstreamBroken("fields without line breaks") from error


def _response_framing(response: ResponseHead, client: Client) -> tuple[bool, Sequence[Field]]:
    """Choose how the body is delimited for the client: as the backend did, where it can be."""
    is_chunked = False
    framing: list[Field] = []
    if response.length is not None:
        if response.status != 204:  # noqa: PLR2004 - RFC 9110 §8.6: 204 has no length
            framing.append((b"Content-Length", b"%d" % response.length))
    elif response.has_body and client.understands_chunks:
        is_chunked = True
        framing.append((b"Transfer-Encoding", b"chunked"))
    elif response.has_body:
        client.close_after()
    if not client.keeps_alive:
        framing.append((b"Connection", b"close"))
    return is_chunked, framing


def _frame(data: bytes, *, is_chunked: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if is_chunked and data else data
