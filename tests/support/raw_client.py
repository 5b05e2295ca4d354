"""A client that sends exactly the bytes it is given, whole or in pieces."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import h11

from sidecar.model import Address


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    fields: dict[str, str]
    body: bytes
    is_closing: bool


@dataclass(frozen=True)
class Conversation:
    """All that came back over one connection.

    Attributes:
        answers: Final responses, in order.
        interim: Statuses of the 1xx responses before them.
        received: Every byte.
        is_closed: The server ended the connection, cleanly or not.
    """

    answers: list[Answer]
    interim: list[int]
    received: bytes
    is_closed: bool


async def converse(
    address: Address,
    pieces: Sequence[bytes],
    *,
    count: int | None = None,
    is_head: bool = False,
    timeout_s: float = 5.0,
) -> Conversation:
    """Send `pieces`, each in a segment of its own, while reading what comes back.

    Args:
        address: Where to.
        pieces: Exact bytes.
        count: Final responses after which to stop; None reads until the server closes.
        is_head: The requests are HEAD, whose responses have no body.
        timeout_s: For all of it; whoever still waits then gets what came until then.
    """
    loop = asyncio.get_running_loop()
    connection = socket.create_connection((address.host, address.port))
    connection.setblocking(False)  # noqa: FBT003 - its only argument
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sender = loop.create_task(_send(connection, pieces))
    received = b""
    is_closed = False
    try:
        async with asyncio.timeout(timeout_s):
            while count is None or len(parse_answers(received, is_head=is_head)[0]) < count:
                data = await loop.sock_recv(connection, 1 << 16)
                if not data:
                    is_closed = True
                    break
                received += data
            await sender
    except ConnectionError:
        is_closed = True
    except TimeoutError:
        pass
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        connection.close()
    answers, interim = parse_answers(received, is_head=is_head)
    return Conversation(answers, interim, received, is_closed)


def parse_answers(received: bytes, *, is_head: bool = False) -> tuple[list[Answer], list[int]]:
    """Read the whole responses in `received`, and the statuses of interim ones."""
    answers: list[Answer] = []
    interim: list[int] = []
    while received:
        parser = h11.Connection(h11.CLIENT)
        method = "HEAD" if is_head else "GET"
        parser.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        parser.send(h11.EndOfMessage())
        parser.receive_data(received)
        try:
            answer = _next_answer(parser, interim)
        except h11.RemoteProtocolError:  # bytes behind the answers; `received` has them
            break
        if answer is None:
            break
        answers.append(answer)
        received = parser.trailing_data[0]
    return answers, interim


def _next_answer(parser: h11.Connection, interim: list[int]) -> Answer | None:
    head: h11.Response | None = None
    body = b""
    while True:
        event = parser.next_event()
        if isinstance(event, h11.InformationalResponse):
            interim.append(event.status_code)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _answer(head, body)
        else:
            return None


def _answer(head: h11.Response, body: bytes) -> Answer:
    fields = {name.decode(): value.decode("latin-1") for name, value in head.headers}
    closing = fields.get("connection", "").lower() == "close"
    return Answer(head.status_code, fields, body, closing)


async def _send(connection: socket.socket, pieces: Sequence[bytes]) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):  # the server has said enough
        for piece in pieces:
            await loop.sock_sendall(connection, piece)
            await asyncio.sleep(0)  # one turn of the loop, in which the server reads this segment


async def talk(
    address: Address, pieces: Iterable[bytes], *, count: int = 1, timeout_s: float = 5.0
) -> list[Answer]:
    """Send `pieces`, each in a segment of its own, and read up to `count` final responses.

    Fewer come back if the connection is closed before.
    """
    reader, writer = await asyncio.open_connection(address.host, address.port)
    answers: list[Answer] = []
    try:
        async with asyncio.timeout(timeout_s):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            while len(answers) < count:
                answer = await _read_answer(reader)
                if answer is None:
                    break
                answers.append(answer)
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return answers


async def ask(address: Address, request: bytes, *, timeout_s: float = 5.0) -> Answer:
    """Send one request and read its response, which must come."""
    answers = await talk(address, [request], timeout_s=timeout_s)
    assert answers, "the connection was closed without an answer"
    return answers[0]


async def _read_answer(reader: asyncio.StreamReader) -> Answer | None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        if not line:
            return None
        head += line
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(head)
    event = parser.next_event()
    if isinstance(event, h11.InformationalResponse):
        return await _read_answer(reader)
    assert isinstance(event, h11.Response)
    fields = {name.decode(): value.decode("latin-1") for name, value in event.headers}
    body = b""
    while True:
        item = parser.next_event()
        if item is h11.NEED_DATA:
            data = await reader.read(1)
            parser.receive_data(data)
        elif isinstance(item, h11.Data):
            body += bytes(item.data)
        else:
            break
    closing = fields.get("connection", "").lower() == "close"
    return Answer(event.status_code, fields, body, closing)
