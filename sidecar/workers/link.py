"""The link between supervisor and worker: questions and answers in JSON, their length in front.

Its end is news too: whoever reads the end of it knows that the other process is no more.
"""

import asyncio
import contextlib
import json
import logging
import struct
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from sidecar.errors import ListenFailed, SettingsInvalid, WorkerFailed

MAX_BYTES = 64 << 20
"""Of one message; a snapshot has some 20 KiB, and 2 MiB with hundreds of rules."""

_log = logging.getLogger("sidecar.workers")
_length = struct.Struct(">I")

Answer = Callable[[str, Any], Awaitable[object]]
"""Answers what is asked: its name, its content. May raise what `_ERRORS` has."""

_ERRORS: Mapping[str, Callable[[list[str]], Exception]] = {
    "settings": SettingsInvalid,
    "listen": lambda problems: ListenFailed(problems[0]),
    "worker": lambda problems: WorkerFailed(problems[0]),
}


class LinkClosed(Exception):
    """The other process has ended, or closed its end."""


class Link:
    """One end of the link. A class because answers are waited for.

    Args:
        reader: Of the connection.
        writer: Of the same.
        answer: Answers what the other end asks; by default nothing is answered.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Answer | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[object]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def ask(self, what: str, content: object = None, *, timeout_s: float) -> Any:  # noqa: ANN401 - JSON
        """Ask, and wait for the answer.

        Raises:
            LinkClosed: There will be none.
            TimeoutError: There is none yet; a late one is thrown away.
            SettingsInvalid: It was the answer, as are the next two.
            ListenFailed: As above.
            WorkerFailed: As above.
        """
        if self._is_closed:
            raise LinkClosed
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"ask": what, "number": number, "content": content})
            async with asyncio.timeout(timeout_s):
                return await answer
        finally:
            del self._waiting[number]

    def tell(self, what: str) -> None:
        """Say something that needs no answer; nobody may be there any more."""
        self._send({"ask": what, "number": 0, "content": None})

    async def run(self) -> None:
        """Read until the other end is closed."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = _length.unpack(await self._reader.readexactly(_length.size))
                if length > MAX_BYTES:
                    break
                self._take(json.loads(await self._reader.readexactly(length)))
        self._is_closed = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkClosed())

    def close(self) -> None:
        """Close this end, once what was said is sent."""
        self._writer.close()

    def _take(self, message: Mapping[str, Any]) -> None:
        if "ask" in message:
            task = asyncio.get_running_loop().create_task(self._respond(message))
            self._answering.add(task)  # the loop itself holds a task only weakly
            task.add_done_callback(self._answering.discard)
            return
        answer = self._waiting.get(message["number"])
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(_ERRORS[message["error"]](message["problems"]))
        else:
            answer.set_result(message["content"])

    async def _respond(self, message: Mapping[str, Any]) -> None:
        assert self._answer is not None  # noqa: S101 - a supervisor is never asked
        said: dict[str, object]
        try:
            said = {"content": await self._answer(message["ask"], message["content"])}
        except SettingsInvalid as error:
            said = {"error": "settings", "problems": error.problems}
        except ListenFailed as error:
            said = {"error": "listen", "problems": [str(error)]}
        except Exception as error:  # noqa: BLE001 - the other process must hear of it
            _log.exception("a worker cannot do what it is asked: %s", message["ask"])
            said = {"error": "worker", "problems": [f"{type(error).__name__}: {error}"]}
        if message["number"]:
            self._send({"number": message["number"], **said})

    def _send(self, message: Mapping[str, object]) -> None:
        text = json.dumps(message).encode()
        self._writer.write(_length.pack(len(text)) + text)
