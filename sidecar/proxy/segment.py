"""Where heads end in what a client sent at once. Pure; it finds ends and judges nothing.

aiohttp's parser decides what a head is. Here only segments are divided, so that each head reaches
it alone. No more rests on it than how a request that is no HTTP is noticed and worded.
"""

HEAD_END = b"\r\n\r\n"

_LENGTH_FIELD = b"\r\ncontent-length: "
_CODING_FIELD = b"\r\ntransfer-encoding"


def end_of_only_head(data: bytes, max_bytes: int) -> int:
    """Return where the head ends in a segment that is one whole request, as most are; else 0.

    Args:
        data: The segment; it begins with the head.
        max_bytes: Longer heads are not looked for.
    """
    found = data.find(HEAD_END)
    end = found + len(HEAD_END)
    if found < 0 or end > max_bytes:
        return 0
    return end if end == len(data) or _announces(data[:end], len(data) - end) else 0


def end_of_head(before: bytes, data: bytes) -> int:
    """Return how many bytes of `data` belong to a head that ends in it; 0 if none does.

    Args:
        before: From `cut_end`, of what came before, for the end may be cut in two itself.
        data: The segment, or what is left of it.
    """
    found = (before + data).find(HEAD_END)
    return max(0, found + len(HEAD_END) - len(before)) if found >= 0 else 0


def cut_end(before: bytes, data: bytes) -> bytes:
    """Return the last bytes of what came, as many as may be the beginning of a head's end."""
    return (before + data)[-len(HEAD_END) + 1 :]


def _announces(head: bytes, length: int) -> bool:
    """Tell whether a head says, once and in so many words, that so many bytes follow."""
    before, _, after = head.lower().partition(_LENGTH_FIELD)
    return (
        after.startswith(b"%d\r" % length)
        and _LENGTH_FIELD not in after
        and _CODING_FIELD not in before
        and _CODING_FIELD not in after
    )
