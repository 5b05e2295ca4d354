"""An answer whose client left in the instant it came: nobody may ever get it."""

import asyncio
import time

import pytest

from sidecar.model import Address, RequestRecord
from sidecar.proxy.client import Client
from sidecar.proxy.framing import NO_BODY
from sidecar.proxy.limits import ClientLimits, ClientTimeouts
from sidecar.proxy.outbox import FEW, Outbox
from sidecar.proxy.relay import Outgoing, Relay
from sidecar.proxy.response_head import KnownHeads
from sidecar.proxy.upstream import UpstreamPool
from sidecar.proxy.upstream_connection import UpstreamConnection, UpstreamTimeouts

SECRET = b"HTTP/1.1 302 Found\r\nSet-Cookie: session=A\r\nContent-Length: 0\r\n\r\n"
TIMEOUTS = ClientTimeouts(1, 1, 1, 1, 1)
LIMITS = ClientLimits(1, 1, 0, 1, 1, 1)


class Wire(asyncio.Transport):
    """A connection that stands until it is closed, and leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Forget what is sent."""

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self._is_closing

    def abort(self) -> None:
        """Close."""
        self._is_closing = True


class Pool(UpstreamPool):
    """A pool whose one connection is driven by the test."""

    def __init__(self) -> None:
        outbox = Outbox(asyncio.get_running_loop())
        super().__init__(Address("127.0.0.1", 1), UpstreamTimeouts(), 1, outbox)
        self.connection = connected()

    async def open(self) -> UpstreamConnection:
        """Hand the one connection out."""
        return self.connection


class Gone(Client):
    """A client of whom nothing is asked in these tests."""

    def __init__(self) -> None:
        """Know nothing of a request."""


def connected(in_flight: int = 0) -> UpstreamConnection:
    """Make a connection to a backend that never says anything by itself."""
    loop = asyncio.get_running_loop()
    outbox = Outbox(loop)
    outbox.in_flight = in_flight
    connection = UpstreamConnection(loop, UpstreamTimeouts(), KnownHeads(), outbox)
    connection.connection_made(Wire())
    return connection


@pytest.mark.parametrize("leaves_first", [True, False])
async def test_answer_whose_client_left_never_answers_the_next_one(*, leaves_first: bool) -> None:
    """The connection it came on is dropped, whichever of the two happened first."""
    pool = Pool()
    relay = Relay(pool, TIMEOUTS, LIMITS)
    record = RequestRecord("GET", time.monotonic())
    outgoing = Outgoing("GET", b"GET /a HTTP/1.1\r\nHost: a\r\n", NO_BODY, (), record)
    carrying = asyncio.ensure_future(relay.carry(outgoing, Gone()))
    await asyncio.sleep(0)
    if leaves_first:
        carrying.cancel()
    pool.connection.data_received(SECRET)
    carrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await carrying
    assert pool.idle_count == 0
    assert not pool.connection.is_reusable
    pool.close()


async def test_connection_with_a_head_nobody_took_is_not_used_again() -> None:
    """It would be one answer behind for everybody who comes after."""
    connection = connected()
    connection.start(b"", is_whole=True, is_head=False, is_handshake=False)
    connection.data_received(SECRET)
    assert not connection.is_reusable
    assert connection.head_at_hand() is not None
    assert connection.is_reusable


async def test_interim_answer_to_a_client_who_left_leaves_no_head_behind() -> None:
    """A final head behind an interim one in the same bytes is not taken either."""
    connection = connected()
    connection.start(b"", is_whole=True, is_head=False, is_handshake=False)
    connection.data_received(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SECRET)
    assert connection.head_at_hand() is not None
    assert not connection.is_reusable


async def test_bytes_that_come_before_a_request_is_sent_are_no_answer_to_it() -> None:
    """It waits to be sent with others; whoever speaks in between speaks of something else."""
    connection = connected(in_flight=FEW + 1)
    connection.start(b"GET", is_whole=True, is_head=False, is_handshake=False)
    connection.data_received(SECRET)
    assert connection.head_at_hand() is None
    assert not connection.is_open


async def test_answer_to_the_beginning_of_a_request_is_taken_while_more_of_it_waits() -> None:
    """A backend may refuse an upload early, and a WebSocket speaks both ways at once."""
    connection = connected(in_flight=FEW + 1)
    connection.start(b"PUT", is_whole=False, is_head=False, is_handshake=False)
    await asyncio.sleep(0)
    connection.write(b"more")
    connection.data_received(SECRET)
    assert connection.head_at_hand() is not None
