"""What becomes of a field, decided by its name alone and remembered. Pure."""

from collections.abc import Callable
from functools import lru_cache

KEPT = b"kept"
"""The field travels on as it is."""

DROPPED = b"dropped"
"""The field is removed without trace."""

_MAX_FATES = 1024
_MAX_LEARNT_BYTES = 64


class Fates(dict[bytes, bytes]):
    """What becomes of fields, by name as spelled: a fate above, or the name to take it out by.

    A class because it learns: the same dozen names come all the time, and judging one anew takes
    ten times as long as looking it up. A flood of made-up names only costs the judging.
    """

    def __init__(self, judge: Callable[[bytes], bytes]) -> None:
        self._judge = judge

    def __missing__(self, name: bytes) -> bytes:
        fate = self._judge(name.lower())
        if len(name) <= _MAX_LEARNT_BYTES:
            if len(self) >= _MAX_FATES:  # by a flood of made-up names; the real ones come again
                self.clear()
            self[name] = fate
        return fate


@lru_cache(maxsize=64)  # either side says `keep-alive` or `close` all the time
def nominated_by(connection: tuple[bytes, ...]) -> frozenset[bytes]:
    """Return which fields the values of `Connection` name, in lower case (RFC 9110 §7.6.1)."""
    options = b",".join(connection).lower().split(b",")
    return frozenset(option.strip(b" \t") for option in options) - {b"", b"close", b"keep-alive"}
