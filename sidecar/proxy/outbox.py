"""Writes of one turn of the event loop, carried out together when everybody has had theirs.

A write that finds its reader awake takes a third of one that must wake it, and who has just been
woken for one message is awake for the next. With 32 connections five of six wake-ups go, and with
them 5 % of the CPU time per request; with 512 connections, 20 %.
"""

import asyncio
from collections.abc import Callable
from typing import Any

FEW = 12
"""Requests under way up to which nothing waits: an empty turn costs more than the wake-ups do. With
8 connections waiting would take 6 % more, with 16 it takes 2 % less."""

MAX_WAITING = 16
"""Connections that wait for one another; more gain nothing, and the first one waits longer."""

MAX_HELD_BYTES = 64 * 1024
"""Of one connection; more is worth a wake-up, and is felt by whoever waits for back-pressure."""


class Outbox:
    """Connections with something to send. A class because it is filled and emptied every turn.

    Args:
        loop: Whose turns they are.

    Attributes:
        in_flight: Requests under way, which the gateway counts.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[BatchingTransport] = []
        self.in_flight = 0

    def add(self, transport: "BatchingTransport") -> None:
        """Flush a transport soon: at the end of this turn, or when enough others wait as well."""
        waiting = self._waiting
        waiting.append(transport)
        if len(waiting) == 1:
            self._loop.call_soon(self._empty)
        elif len(waiting) == MAX_WAITING:
            self._empty()

    def _empty(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport in waiting:
            try:
                transport.flush()
            except (OSError, RuntimeError):  # the others' turn comes all the same
                transport.abort()


class BatchingTransport:
    """An asyncio transport whose small writes wait for the end of the turn; their order stays.

    Closing sends what waits, breaking off does not. A transport that closes itself, as it does at
    the other end's EOF, knows nothing of what waits: a protocol must flush then.

    It has as much of `asyncio.Transport` as aiohttp and we use.

    Args:
        below: Does the work.
        outbox: Says when.

    Attributes:
        is_closing: As of the transport below, without a call in between.
    """

    __slots__ = ("_below", "_held", "_outbox", "_write", "is_closing")

    def __init__(self, below: asyncio.Transport, outbox: Outbox) -> None:
        self._below = below
        self._write = below.write
        self._outbox = outbox
        self._held = b""
        self.is_closing: Callable[[], bool] = below.is_closing

    def write(self, data: bytes) -> None:
        """Send some bytes after all that were written before."""
        if self._held:
            self._held += data
            if len(self._held) > MAX_HELD_BYTES:
                self.flush()
        elif self._outbox.in_flight > FEW and len(data) <= MAX_HELD_BYTES:
            self._held = data
            self._outbox.add(self)
        else:
            self._write(data)

    @property
    def holds(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._held)

    def flush(self) -> None:
        """Send what waits, unless there is nobody left to send it to."""
        held, self._held = self._held, b""
        if held and not self.is_closing():
            self._write(held)

    def close(self) -> None:
        """Close once all is sent."""
        self.flush()
        self._below.close()

    def write_eof(self) -> None:
        """Say that nothing more will be written."""
        self.flush()
        self._below.write_eof()

    def abort(self) -> None:
        """Close at once; what waits is lost."""
        self._held = b""
        self._below.abort()

    def is_reading(self) -> bool:
        """Tell whether bytes are received."""
        return self._below.is_reading()

    def pause_reading(self) -> None:
        """Receive no more bytes for a while."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Receive bytes again."""
        self._below.resume_reading()

    def get_extra_info(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - asyncio's
        """Return what is known of the socket."""
        return self._below.get_extra_info(name, default)
