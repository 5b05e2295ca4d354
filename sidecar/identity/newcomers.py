"""Tokens that came once while the cache was full. It remembers digests and decides nothing."""

MAX_NEWCOMERS = 5_000
"""Digests of tokens that came once, 100 bytes each; users who come while more than this many others
come are verified again."""


class Newcomers:
    """The latest `MAX_NEWCOMERS` of them, and up to as many before. A class because it grows."""

    def __init__(self) -> None:
        self._latest: set[bytes] = set()
        self._before: set[bytes] = set()

    def came_before(self, digest: bytes) -> bool:
        """Tell whether a token has come lately; if not, it has now."""
        if digest in self._latest or digest in self._before:
            return True
        if len(self._latest) >= MAX_NEWCOMERS:  # all at once, so that memory stays in one piece
            self._latest, self._before = set(), self._latest
        self._latest.add(digest)
        return False
