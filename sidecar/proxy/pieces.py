"""What a client sends, cut where heads and bodies end. Pure; it cuts and judges nothing.

aiohttp's parser decides what a request is, and refuses with the whole connection whatever could be
cut in two ways. No more rests on this file than that a request is read alone, and how one that is
no HTTP is noticed and worded.
"""

import sys

HEAD_END = b"\r\n\r\n"

SHOWN_BYTES = 16 * 1024
"""How much of a head is shown, for when it turns out to be unreadable."""

KEPT_BYTES = 256 * 1024
"""How much of a head is kept, to find out what follows it: more than any that is not refused."""

_REST = sys.maxsize  # all that is still to come
_UNKNOWN = -1  # nobody has asked yet: most requests have no body, and finding out costs 1 µs
_LENGTH_FIELD = b"\r\ncontent-length:"
_CODING_FIELD = b"\r\ntransfer-encoding:"
_MAX_DIGITS = 18


class Pieces:
    """Cuts one connection's bytes. A class because segments end anywhere.

    Attributes:
        is_whole: All of the latest head has come; what follows is its body.
        is_lost: Nobody knows any more what follows, until `restart`.
    """

    __slots__ = ("_end", "_kept", "_left", "is_lost", "is_whole")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget the latest head; what comes next is another one."""
        self._kept: bytes | bytearray = b""
        self.is_whole = False
        self.is_lost = False
        self._end = b""
        self._left = _UNKNOWN

    @property
    def head(self) -> bytes:
        """The beginning of the latest head, as far as it has come."""
        return bytes(self._kept[:SHOWN_BYTES])

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has come since `restart`."""
        return not self._kept and not self.is_whole

    def take_only(self, data: bytes) -> bool:
        """Take a segment that is a head and nothing else, as most are; tell whether it was."""
        end = data.find(HEAD_END)
        if end < 0 or end + len(HEAD_END) != len(data) or not self.is_fresh:
            return False
        self._kept = data
        self.is_whole = True
        return True

    def is_between(self) -> bool:
        """Tell whether another head comes next: nothing of the latest request is to come."""
        if not self.is_whole:
            return not self._kept
        if self._left == _UNKNOWN:
            self._left = _body_bytes(bytes(self._kept))
            self.is_lost = self._left == _REST
        return self._left == 0

    def cut(self, data: bytes) -> tuple[bytes, bytes]:
        """Cut off what belongs to one head or to one body.

        Returns:
            The piece, and what is left.
        """
        if self.is_between():
            self.restart()
        if self.is_whole:
            piece = data[: self._left]
            self._left -= len(piece)
            return piece, data[len(piece) :]
        end = _end_of_head(self._end, data)
        self.is_whole = end > 0
        piece = data[:end] if end else data
        self._end = (self._end + piece)[-len(HEAD_END) + 1 :]
        if not self._kept:
            self._kept = bytearray()
        self._kept += piece[: KEPT_BYTES - len(self._kept)]
        return piece, data[len(piece) :]

    def lose_track(self) -> None:
        """Take all that comes, up to the next `restart`, for one body."""
        self.is_lost = True
        self.is_whole = True
        self._left = _REST


def _end_of_head(before: bytes, data: bytes) -> int:
    """Return how many bytes of `data` belong to a head that ends in it; 0 if none does."""
    found = (before + data).find(HEAD_END)  # the end may be cut in two itself
    return found + len(HEAD_END) - len(before) if found >= 0 else 0


def _body_bytes(head: bytes) -> int:
    """Return how many bytes follow a head: all the rest, where that cannot be told."""
    head = head.lower()
    if _CODING_FIELD in head or len(head) >= KEPT_BYTES:
        return _REST  # nothing is read on a connection after a body in chunks
    _, found, after = head.partition(_LENGTH_FIELD)
    if not found:
        return 0
    digits = after[: after.find(b"\r")].strip(b" \t")
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else _REST
