"""WebSocket handshakes in raw bytes: a tunnel only after the backend's own 101, for one caller."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from tests.support.attack import BEARER, request
from tests.support.house import House, with_token
from tests.support.raw_client import converse
from tests.support.recording_backend import OK, Exchange
from tests.support.segments import WAYS
from tests.support.verdict import NOBODY, PROVEN
from tests.support.wire import fold

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
ACCEPT = base64.b64encode(hashlib.sha1(KEY + GUID, usedforsecurity=False).digest())
UPGRADE = (b"Connection: Upgrade", b"Upgrade: websocket")
HANDSHAKE = (*UPGRADE, b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + KEY)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n"
)
CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"  # a masked close frame, 1000
CLOSED = b"\x88\x02\x03\xe8"


@dataclass
class Switching:
    """Answers with bytes, takes what comes after, and closes a WebSocket as it should."""

    reply: bytes = SWITCH
    taken: bytes = b""
    exchanges: list[Exchange] = field(default_factory=list)

    async def __call__(
        self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Play."""
        self.exchanges.append(exchange)
        writer.write(self.reply)
        await writer.drain()
        if b" 101 " not in self.reply[:20]:
            return
        while data := await reader.read(1 << 16):
            self.taken += data
            if b"\x88" in data:
                writer.write(CLOSED)
                await writer.drain()
                writer.close()
                return


@pytest.fixture
def backend(house: House) -> Iterator[Switching]:
    """Let the backend switch, and answer plainly again afterwards."""
    script = Switching()
    house.backend.reply = script
    yield script
    house.backend.reply = OK


def identity(exchange: Exchange) -> Mapping[str, bytes]:
    """Return what an application would take for the caller, each name once."""
    pairs = [(fold(name.encode("latin-1")), value.encode()) for name, value in exchange.fields]
    ours = [pair for pair in pairs if pair[0].startswith("HTTP_X_COGNITO_")]
    assert len(ours) == len(dict(ours))
    return dict(ours)


FORGED = {
    "both": (b"X-Cognito-Sub: forged", b"X-Cognito-Username: forged"),
    "underscores": (b"X_Cognito_Sub: forged", b"X-Cognito_Username: forged"),
    "dots": (b"X.Cognito.Sub: forged",),
    "other-case": (b"x-COGNITO-sub: forged",),
    "named-by-connection": (b"Connection: X-Cognito-Sub, X-Cognito-Username",),
    "protocol": (b"Sec-WebSocket-Protocol: X-Cognito-Sub, forged",),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("has_token", [True, False])
@pytest.mark.parametrize("name", FORGED)
async def test_handshake_carries_the_identity_of_its_token_alone(
    house: House, backend: Switching, name: str, way: str, *, has_token: bool
) -> None:
    """A forged identity at a handshake is removed; the tunnel opens for the token's caller."""
    lines = (BEARER,) if has_token else ()
    raw = with_token(house, request(*HANDSHAKE, *lines, *FORGED[name]))
    for pieces in WAYS[way](raw):
        backend.exchanges.clear()
        address = house.sidecars["strip"].address
        conversation = await converse(address, [*pieces, CLOSE], count=1)
        assert conversation.received.startswith(b"HTTP/1.1 101 ")
        (exchange,) = backend.exchanges
        assert identity(exchange) == (PROVEN if has_token else NOBODY)
        assert exchange.values("upgrade") == ["websocket"]
        assert [v.lower() for v in exchange.values("connection")] == ["upgrade"]


@pytest.mark.parametrize("mode", ["optional", "require"])
async def test_handshake_with_a_bad_token_opens_no_tunnel(
    house: House, backend: Switching, mode: str
) -> None:
    """401 at the handshake; the frames behind it reach nobody."""
    raw = request(*HANDSHAKE, b"Authorization: Bearer a.b.c") + CLOSE
    conversation = await converse(house.sidecars[mode].address, [raw], count=1, timeout_s=1)
    assert conversation.received.startswith(b"HTTP/1.1 401 ")
    assert backend.exchanges == []
    assert backend.taken == b""


SWITCHES = {
    "to-h2c": SWITCH.replace(b"websocket", b"h2c"),
    "to-nothing": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "to-two-things": SWITCH.replace(b"websocket", b"websocket, h2c"),
    "without-connection": SWITCH.replace(b"Connection: Upgrade\r\n", b""),
}


@pytest.mark.parametrize("name", SWITCHES)
async def test_switch_to_anything_but_a_websocket_opens_no_tunnel(
    house: House, backend: Switching, name: str
) -> None:
    """The backend agrees to something nobody asked for: 502, and no byte goes through."""
    backend.reply = SWITCHES[name]
    behind = request(b"X-Cognito-Sub: forged", target=b"/behind")
    raw = with_token(house, request(*HANDSHAKE, BEARER))
    address = house.sidecars["require"].address
    conversation = await converse(address, [raw, behind], timeout_s=1)
    assert conversation.received.startswith(b"HTTP/1.1 502 ")
    assert b"/behind" not in backend.taken
    assert len(backend.exchanges) == 1


NOT_ASKED = {
    "plain-get": request(BEARER),
    "upgrade-without-connection": request(BEARER, b"Upgrade: websocket"),
    "connection-without-upgrade": request(BEARER, b"Connection: Upgrade"),
    "h2c": request(BEARER, b"Connection: Upgrade", b"Upgrade: h2c"),
    "websocket-and-h2c": request(BEARER, b"Connection: Upgrade", b"Upgrade: websocket, h2c"),
    "two-upgrades": request(BEARER, *UPGRADE, b"Upgrade: h2c"),
    "http-1.0": request(BEARER, *HANDSHAKE, version=b"HTTP/1.0"),
    "with-a-body": request(BEARER, *HANDSHAKE, b"Content-Length: 5", body=b"hello"),
    "post": request(BEARER, *HANDSHAKE, b"Content-Length: 0", method=b"POST"),
}


@pytest.mark.parametrize("name", NOT_ASKED)
async def test_switch_that_nobody_asked_for_opens_no_tunnel(
    house: House, backend: Switching, name: str
) -> None:
    """No valid handshake was sent, so a 101 is no answer: 502, or 400 before; never a tunnel."""
    behind = request(b"X-Cognito-Sub: forged", target=b"/behind")
    raw = with_token(house, NOT_ASKED[name])
    address = house.sidecars["require"].address
    conversation = await converse(address, [raw, behind], timeout_s=1)
    assert conversation.received[9:12] in (b"502", b"400")
    assert b"/behind" not in backend.taken
    assert [exchange.target for exchange in backend.exchanges] in ([], ["/ca7a7y"])
    for exchange in backend.exchanges:
        assert exchange.values("upgrade") == []


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden", b"426 Upgrade Required"])
async def test_frames_behind_a_declined_handshake_reach_no_backend(
    house: House, backend: Switching, status: bytes
) -> None:
    """The backend declines: what follows is a new request of nobody, however it looks."""
    backend.reply = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    behind = request(b"X-Cognito-Sub: forged", b"Connection: close", target=b"/behind")
    raw = with_token(house, request(*HANDSHAKE, BEARER)) + behind
    conversation = await converse(house.sidecars["require"].address, [raw], timeout_s=3)
    statuses = [answer.status for answer in conversation.answers]
    assert statuses[0] == int(status[:3])
    assert statuses[1:] in ([], [401])
    assert conversation.is_closed
    assert [exchange.target for exchange in backend.exchanges] == ["/ca7a7y"]
