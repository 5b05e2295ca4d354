"""A request's body on its way to the backend: never held whole unless small, never inflated."""

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sidecar.errors import (
    BodyTooLarge,
    RequestMalformed,
    RequestTimeout,
    SidecarError,
)
from sidecar.proxy.client import Client
from sidecar.proxy.framing import LAST_CHUNK, Framing, chunk
from sidecar.proxy.limits import ClientTimeouts
from sidecar.proxy.upstream_connection import UpstreamConnection

SMALL_BODY_BYTES = 64 * 1024
"""A body that announces no more is awaited whole, so that a client that drips it holds no worker of
the backend. Less than aiohttp buffers before it stops reading."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class Upload:
    """The body of one request. A class because what is read must be counted.

    Attributes:
        client: Who sends it.
        framing: How it is delimited.
        timeouts: How long the client may take.
        max_bytes: 0 sets no limit.
        sent_bytes: Passed on so far.
    """

    client: Client
    framing: Framing
    timeouts: ClientTimeouts
    max_bytes: int
    sent_bytes: int = 0

    async def begin(self) -> tuple[bytes, bool]:
        """Take what there is, framed for the backend, and tell whether that is all.

        Raises:
            BodyTooLarge: The announced length, or what there is, exceeds the limit.
            RequestTimeout: A small body is not there in time.
            RequestMalformed: It is not framed as announced.
        """
        framing, content = self.framing, self.client.content
        if not framing.has_body:
            return b"", True
        self._check_size(framing.length)
        if framing.expects_continue:
            self.client.write(_CONTINUE)
        if not content.is_eof():
            self.client.connection.expect_upload(content, is_chunked=framing.is_chunked)
            if 0 < framing.length <= SMALL_BODY_BYTES:
                await self._until_whole()
        try:
            data = self._framed(content.read_nowait())
        except (HttpProcessingError, web.RequestPayloadError) as error:
            raise RequestMalformed("a body in its announced framing") from error
        is_whole = content.is_eof()
        return (data + LAST_CHUNK if is_whole and framing.is_chunked else data), is_whole

    async def send_rest(self, upstream: UpstreamConnection) -> None:
        """Pass on what is still to come, as fast as the backend takes it.

        An error ends the connection to the backend, and so reaches whoever waits for its response.
        """
        try:
            async with asyncio.timeout(self.timeouts.body_total_s):
                await self._pump(upstream)
            upstream.expect_answer()
        except SidecarError as error:
            upstream.fail(error)
        except TimeoutError:
            upstream.fail(RequestTimeout("a body in time"))
        except (HttpProcessingError, web.RequestPayloadError):
            upstream.fail(RequestMalformed("a body in its announced framing"))
        except (OSError, RuntimeError):  # the client is gone: aiohttp says so in two ways
            upstream.close()

    async def _pump(self, upstream: UpstreamConnection) -> None:
        content = self.client.content
        while True:
            self.client.connection.expect_upload(content, is_chunked=self.framing.is_chunked)
            async with asyncio.timeout(self.timeouts.body_idle_s):
                data = await content.readany()
            if not data:
                break
            upstream.write(self._framed(data))
            await upstream.drain()
        if self.framing.is_chunked:
            upstream.write(LAST_CHUNK)

    async def _until_whole(self) -> None:
        try:
            async with asyncio.timeout(self.timeouts.body_idle_s):
                await self.client.content.wait_eof()
        except TimeoutError as error:
            raise RequestTimeout("a small body in time") from error

    def _framed(self, data: bytes) -> bytes:
        self.sent_bytes += len(data)
        self._check_size(self.sent_bytes)
        return chunk(data) if self.framing.is_chunked else data

    def _check_size(self, size_bytes: int) -> None:
        if self.max_bytes and size_bytes > self.max_bytes:
            raise BodyTooLarge(f"a body of at most {self.max_bytes} bytes")
