"""Sidecars in front of a backend that records: what attacks are sent to."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from sidecar.config import load
from sidecar.server import Sidecar
from tests.support import mint
from tests.support.attack import TOKEN
from tests.support.key_server import KeyServer
from tests.support.raw_client import Answer, Conversation, ask, converse
from tests.support.recording_backend import OK, RecordingBackend
from tests.support.wire import Sent, read_requests

_PATIENCE_S = 8.0  # every answer here takes milliseconds; what takes longer never comes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back to the client, and what the backend saw."""

    conversation: Conversation
    seen: list[Sent]

    @property
    def answers(self) -> list[Answer]:
        """The final responses, in order."""
        return self.conversation.answers


@dataclass
class House:
    """A backend that records, and sidecars in front of it by mode.

    A class because it is a set of servers with one lifetime.
    """

    backend: RecordingBackend
    token: bytes
    sidecars: dict[str, Sidecar] = field(default_factory=dict)

    async def send(
        self,
        mode: str,
        pieces: Sequence[bytes],
        *,
        count: int | None,
        is_head: bool = False,
        timeout_s: float = _PATIENCE_S,
    ) -> Outcome:
        """Send exact bytes to the sidecar of a mode, and wait until all is settled."""
        self.backend.forget()
        address = self.sidecars[mode].address
        conversation = await converse(
            address, pieces, count=count, is_head=is_head, timeout_s=timeout_s
        )
        seen = await self._settle()
        return Outcome(conversation, seen)

    async def _settle(self) -> list[Sent]:
        # The backend reads in the order of arrival: once it has answered this, it has read all
        # that was sent before.
        reply, self.backend.reply = self.backend.reply, OK
        await ask(self.backend.address, _SETTLE)
        self.backend.reply = reply
        assert not self.backend.errors, f"h11 at the backend: {self.backend.errors}"
        seen = [request for raw in self.backend.raw for request in read_requests(raw)]
        return [request for request in seen if request.target != b"/settle"]


_SETTLE = b"GET /settle HTTP/1.1\r\nHost: settle\r\nConnection: close\r\n\r\n"


def with_token(house: House, raw: bytes) -> bytes:
    """Put the house's token in its place."""
    return raw.replace(TOKEN, house.token)


@asynccontextmanager
async def open_house(variants: Mapping[str, Mapping[str, str]]) -> AsyncIterator[House]:
    """Start a backend that records, and in front of it a sidecar per named set of settings."""
    async with AsyncExitStack() as running:
        backend = await RecordingBackend().start()
        running.push_async_callback(backend.stop)
        key_server = await KeyServer().start()
        running.push_async_callback(key_server.stop)
        token = mint.mint(now=time.time())  # noqa: TID251 - the sidecar reads the real clock
        house = House(backend, token)
        for name, changes in variants.items():
            settings = {
                "user_pool_id": mint.POOL_ID,
                "user_pool_client_id": mint.CLIENT_ID,
                "jwks_url": key_server.url,
                "upstream": backend.url,
                "listen": "127.0.0.1:0",
                "admin_listen": "127.0.0.1:0",
                **changes,
            }
            sidecar = await running.enter_async_context(Sidecar(load(settings, {})))
            await sidecar.until_ready()
            house.sidecars[name] = sidecar
        yield house
