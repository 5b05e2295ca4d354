"""The upgraded connection: bytes both ways, as they are, once the backend has said 101.

Frames, fragments, extensions, pings and close codes are the two ends' own business. The tunnel only
follows where frames begin, so that it can end the conversation itself with a code: the token has
expired, the sidecar stops, or a message is too large.
"""

import asyncio
import contextlib
import secrets

from sidecar.errors import UpstreamError
from sidecar.proxy.client import Client
from sidecar.proxy.frames import FrameScanner, MessageTooLarge, close_frame
from sidecar.proxy.upstream_connection import BUFFER_BYTES, UpstreamConnection

TOKEN_EXPIRED = 4401  # of the range for applications; reads as the status 401
TOO_LARGE = 1009  # RFC 6455 §7.4.1

_CLOSING_S = 2.0
"""For a frame under way to end, and for the client to answer our closing frame."""

_NO_LIMIT = 1 << 63  # what the backend may send is its own business


class ClientBytes:
    """What a client sends after the switch. A class because aiohttp hands bytes to an object.

    It stands where aiohttp's own WebSocket reader would (`RequestHandler.set_parser`).
    """

    def __init__(self, client: Client) -> None:
        self._transport = client.connection.transport
        self._pieces: list[bytes] = []
        self._size_bytes = 0
        self._is_paused = False
        self._arrived = asyncio.Event()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes from aiohttp; make the client wait when nobody takes them from here."""
        self._pieces.append(data)
        self._size_bytes += len(data)
        self._arrived.set()
        if self._size_bytes > BUFFER_BYTES and not self._is_paused and self._transport:
            self._is_paused = True
            self._transport.pause_reading()
        return False, b""

    def feed_eof(self) -> None:
        """Do nothing: a client that leaves ends the tunnel by cancelling it."""

    async def read(self) -> bytes:
        """Wait for the next bytes."""
        await self._arrived.wait()
        self._arrived.clear()
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size_bytes = 0
        if self._is_paused and self._transport:
            self._is_paused = False
            self._transport.resume_reading()
        return data


class Tunnel:
    """One WebSocket. A class because two directions share how it ends.

    Args:
        client: Whose connection aiohttp has handed over.
        upstream: The backend's connection, after its 101.
        max_message_bytes: Of one message from the client.
    """

    def __init__(
        self, client: Client, upstream: UpstreamConnection, max_message_bytes: int
    ) -> None:
        self._client = client
        self._upstream = upstream
        self._from_client = ClientBytes(client)
        self._client_frames = FrameScanner(max_message_bytes)
        self._backend_frames = FrameScanner(_NO_LIMIT)
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def close(self, code: int) -> None:
        """End the conversation with a code, as soon as no frame is under way."""
        if not self._code.done():
            self._code.set_result(code)

    async def run(self, lifetime_s: float | None) -> None:
        """Pass bytes until one side ends, or the lifetime does.

        Raises:
            UpstreamBroken: The backend's connection broke.
            ConnectionResetError: The client is gone.
        """
        self._client.connection.tunnel = self
        self._client.connection.set_parser(self._from_client)  # type: ignore[arg-type] # has its methods
        to_client = asyncio.ensure_future(self._pass_to_client())
        to_backend = asyncio.ensure_future(self._pass_to_backend())
        try:
            await asyncio.wait(
                (to_client, self._code), timeout=lifetime_s, return_when=asyncio.FIRST_COMPLETED
            )
            if to_client.done():
                to_client.result()
                return
            self.close(TOKEN_EXPIRED)
            to_backend.cancel()
            await self._say_goodbye(to_client)
        finally:
            self._client.connection.tunnel = None
            to_client.cancel()
            to_backend.cancel()
            await asyncio.gather(to_client, to_backend, return_exceptions=True)

    async def _pass_to_client(self) -> None:
        while data := await self._upstream.read_tunnel():
            boundary = self._backend_frames.feed(data)
            if boundary and self._code.done():
                self._client.write(data[:boundary])
                return
            self._client.write(data)
            await self._client.drain()

    async def _pass_to_backend(self) -> None:
        # An error ends the connection to the backend, and so reaches the other direction.
        try:
            while True:
                data = await self._from_client.read()
                self._client_frames.feed(data)
                self._upstream.write(data)
                await self._upstream.drain()
        except MessageTooLarge:
            self.close(TOO_LARGE)
        except UpstreamError as error:
            self._upstream.fail(error)

    async def _say_goodbye(self, to_client: asyncio.Future[None]) -> None:
        if not self._backend_frames.is_at_boundary:
            await asyncio.wait((to_client,), timeout=_CLOSING_S)
            if not to_client.done():
                raise ConnectionResetError
            to_client.result()
        code = self._code.result()
        self._client.write(close_frame(code))
        if self._client_frames.is_at_boundary:
            self._upstream.write(close_frame(code, secrets.token_bytes(4)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                await self._until_client_agrees()

    async def _until_client_agrees(self) -> None:
        while not self._client_frames.has_closed:
            data = await self._from_client.read()
            with contextlib.suppress(MessageTooLarge):
                self._client_frames.feed(data)
