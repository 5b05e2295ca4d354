"""What is written in one turn goes out together, in its order, and to nobody else."""

import asyncio
from typing import cast

import pytest

from sidecar.proxy.outbox import FEW, MAX_HELD_BYTES, MAX_WAITING, BatchingTransport, Outbox


class Below(asyncio.Transport):
    """A transport that only notes what it is told."""

    def __init__(self, log: list[tuple[str, bytes]], name: str) -> None:
        super().__init__()
        self._log = log
        self._name = name
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note it."""
        self._log.append((self._name, bytes(data)))

    def write_eof(self) -> None:
        """Note it."""
        self._log.append((self._name, b"<eof>"))

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self._is_closing

    def close(self) -> None:
        """Note it."""
        self._log.append((self._name, b"<close>"))
        self._is_closing = True

    def abort(self) -> None:
        """Note it."""
        self._log.append((self._name, b"<abort>"))
        self._is_closing = True


Log = list[tuple[str, bytes]]


@pytest.fixture
def log() -> Log:
    """What reached the transports below."""
    return []


@pytest.fixture
async def outbox() -> Outbox:
    """One of a busy sidecar."""
    outbox = Outbox(asyncio.get_running_loop())
    outbox.in_flight = FEW + 1
    return outbox


def transport(log: Log, outbox: Outbox, name: str = "a") -> BatchingTransport:
    """Make one over a transport that notes what it is told."""
    return BatchingTransport(Below(log, name), outbox)


async def test_writes_wait_for_the_end_of_the_turn(log: Log, outbox: Outbox) -> None:
    """Nothing is sent before everybody who was to run in this turn has run."""
    one, other = transport(log, outbox, "a"), transport(log, outbox, "b")
    one.write(b"1")
    asyncio.get_running_loop().call_soon(other.write, b"2")
    assert log == []
    assert one.holds
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert log == [("a", b"1"), ("b", b"2")]
    assert not one.holds


async def test_writes_of_one_connection_stay_in_order_and_become_one(
    log: Log, outbox: Outbox
) -> None:
    """Whatever size they are, and however many requests are under way by then."""
    one = transport(log, outbox)
    one.write(b"1")
    outbox.in_flight = 0
    one.write(b"2")
    await asyncio.sleep(0)
    one.write(b"3")
    assert log == [("a", b"12"), ("a", b"3")]


async def test_nothing_waits_while_few_requests_are_under_way(log: Log, outbox: Outbox) -> None:
    """There would be nobody to wait for."""
    outbox.in_flight = FEW
    transport(log, outbox).write(b"1")
    assert log == [("a", b"1")]


async def test_large_write_does_not_wait(log: Log, outbox: Outbox) -> None:
    """Back-pressure must be felt by whoever writes much."""
    large = bytes(MAX_HELD_BYTES + 1)
    transport(log, outbox).write(large)
    assert log == [("a", large)]


async def test_many_small_writes_do_not_wait_either(log: Log, outbox: Outbox) -> None:
    """What waits is bounded, and goes first."""
    one = transport(log, outbox)
    one.write(b"1")
    one.write(bytes(MAX_HELD_BYTES))
    assert log == [("a", b"1" + bytes(MAX_HELD_BYTES))]
    assert not one.holds


async def test_connections_wait_for_a_few_others_only(log: Log, outbox: Outbox) -> None:
    """The first of very many is not kept until the last one is done."""
    for number in range(MAX_WAITING + 1):
        transport(log, outbox, str(number)).write(b"x")
    assert len(log) == MAX_WAITING
    await asyncio.sleep(0)
    assert len(log) == MAX_WAITING + 1


async def test_closing_sends_what_waits(log: Log, outbox: Outbox) -> None:
    """That is when aiohttp closes: in the turn in which the answer was written."""
    one = transport(log, outbox)
    one.write(b"1")
    one.close()
    await asyncio.sleep(0)
    assert log == [("a", b"1"), ("a", b"<close>")]
    assert one.is_closing()


async def test_end_comes_after_what_waits(log: Log, outbox: Outbox) -> None:
    """Nothing can be sent after it."""
    one = transport(log, outbox)
    one.write(b"1")
    one.write_eof()
    assert log == [("a", b"1"), ("a", b"<eof>")]


async def test_breaking_off_sends_nothing_more(log: Log, outbox: Outbox) -> None:
    """A request that was given up must not reach the backend, nor half an answer a client."""
    one = transport(log, outbox)
    one.write(b"1")
    one.abort()
    await asyncio.sleep(0)
    assert log == [("a", b"<abort>")]


async def test_connection_that_is_lost_takes_nobody_with_it(log: Log, outbox: Outbox) -> None:
    """The others' writes go out all the same."""
    below = Below(log, "a")
    one, other = BatchingTransport(below, outbox), transport(log, outbox, "b")
    one.write(b"1")
    other.write(b"2")
    below.close()
    await asyncio.sleep(0)
    assert log == [("a", b"<close>"), ("b", b"2")]


async def test_connection_that_fails_takes_nobody_with_it_either(log: Log, outbox: Outbox) -> None:
    """Whatever a transport raises, the others' writes go out."""

    class Failing(Below):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            raise RuntimeError(bytes(data))

    one, other = BatchingTransport(Failing(log, "a"), outbox), transport(log, outbox, "b")
    one.write(b"1")
    other.write(b"2")
    await asyncio.sleep(0)
    assert log == [("a", b"<abort>"), ("b", b"2")]


async def test_all_else_is_as_of_the_transport_below(outbox: Outbox) -> None:
    """On a real connection, of which aiohttp asks these things."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    try:
        address = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(*address)
        one = BatchingTransport(cast(asyncio.Transport, writer.transport), outbox)
        assert one.get_extra_info("peername") == address
        assert one.get_extra_info("nothing", "else") == "else"
        one.pause_reading()
        assert not one.is_reading()
        one.resume_reading()
        assert one.is_reading()
        one.abort()
    finally:
        server.close()
        await server.wait_closed()
