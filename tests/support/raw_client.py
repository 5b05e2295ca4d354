"""A client that sends exactly the bytes it is given, whole or in pieces."""

import asyncio
from collections.abc import Iterable
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
