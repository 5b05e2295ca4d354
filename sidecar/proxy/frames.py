"""Where WebSocket frames begin and end (RFC 6455 §5.2). Pure; payloads are never looked at."""

import struct

_CLOSE = 0x8
_FIN = 0x80
_MASKED = 0x80
_CONTROL = 0x8  # the bit that tells control frames from data frames
_EXTENDED = {126: 2, 127: 8}  # bytes of an extended length, by the 7-bit length


class MessageTooLarge(Exception):
    """One message exceeds the limit."""


class FrameScanner:
    """Follows one direction of a connection. A class because frames cross pieces.

    Args:
        max_message_bytes: Of all frames of one message.

    Attributes:
        has_closed: A closing frame has been begun.
    """

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._message_bytes = 0
        self._head = bytearray()
        self._left_bytes = 0
        self.has_closed = False

    @property
    def is_at_boundary(self) -> bool:
        """Whether a frame may be put in right now."""
        return not self._head and not self._left_bytes

    def feed(self, data: bytes) -> int:
        """Follow the next piece.

        Returns:
            How many of its bytes end with a whole frame; 0 if no frame ends in it.

        Raises:
            MessageTooLarge: A frame in it makes its message too large.
        """
        position = boundary = 0
        while position < len(data):
            if self._left_bytes:
                step = min(self._left_bytes, len(data) - position)
                self._left_bytes -= step
                position += step
            else:
                self._head.append(data[position])
                position += 1
                self._read_head()
            if self.is_at_boundary:
                boundary = position
        return boundary

    def _read_head(self) -> None:
        head = self._head
        if len(head) < 2:  # noqa: PLR2004 - the two bytes every frame has
            return
        short = head[1] & ~_MASKED
        extended = _EXTENDED.get(short, 0)
        if len(head) < 2 + extended + (4 if head[1] & _MASKED else 0):
            return
        length = int.from_bytes(head[2 : 2 + extended]) if extended else short
        self._begin_frame(head[0], length)
        self._head.clear()

    def _begin_frame(self, first: int, length: int) -> None:
        opcode = first & 0x0F
        self._left_bytes = length
        if opcode & _CONTROL:
            self.has_closed = self.has_closed or opcode == _CLOSE
            return
        self._message_bytes = length + (0 if opcode else self._message_bytes)
        if self._message_bytes > self._max_message_bytes:
            raise MessageTooLarge
        if first & _FIN:
            self._message_bytes = 0


def close_frame(code: int, mask: bytes = b"") -> bytes:
    """Write a closing frame with a status code and no words.

    Args:
        code: RFC 6455 §7.4.
        mask: Four random bytes for a frame to a server; empty for one to a client.
    """
    payload = struct.pack("!H", code)
    if not mask:
        return bytes((_FIN | _CLOSE, len(payload))) + payload
    masked = bytes(byte ^ key for byte, key in zip(payload, mask, strict=False))
    return bytes((_FIN | _CLOSE, _MASKED | len(payload))) + mask + masked
