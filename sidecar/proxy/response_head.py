"""The head of a response, and a memory for those that come again. It parses nothing."""

from dataclasses import dataclass

from sidecar.model import Field

SWITCHING = 101
"""The status after which another protocol is spoken."""

_HEAD_END = b"\r\n\r\n"
_MAX_KNOWN_BYTES = 2048  # of one head; gunicorn's and nginx's have some 200
_MAX_KNOWN = 256  # half a megabyte at most


@dataclass(slots=True)
class ResponseHead:
    """Status line and fields of one response, interim or final.

    Attributes:
        status: At least 100.
        reason: The phrase, as sent; may be empty.
        fields: Those meant for the client, in order.
        length: Of the body, if the backend said so; None otherwise.
        is_chunked: The backend frames the body in chunks.
        is_interim: Another head follows (RFC 9110 §15.2).
        has_body: False where HTTP allows none (HEAD, 204, 304, interim responses, 101).
        written: As it goes to the client, without what we add; empty until somebody has written it.
    """

    status: int
    reason: bytes
    fields: list[Field]
    length: int | None = None
    is_chunked: bool = False
    is_interim: bool = False
    has_body: bool = True
    written: bytes = b""


class KnownHeads:
    """Heads that have been read before, byte for byte the same. A class because it learns.

    A backend repeats its heads within a second, until their `Date` changes. Reading one again takes
    5 µs, a tenth of the whole request; looking it up takes 0.5. Only heads of responses that came
    whole, in one piece with a body of the announced length, and left nothing unusual behind.
    """

    def __init__(self) -> None:
        self._heads: dict[bytes, ResponseHead] = {}

    def find(self, data: bytes) -> tuple[ResponseHead, bytes] | None:
        """Return head and body of a response that is whole, if its head is known."""
        end = data.find(_HEAD_END) + len(_HEAD_END)
        head = self._heads.get(data[:end])
        if head is None or head.length != len(data) - end:
            return None
        return head, data[end:]

    def learn(self, head: ResponseHead, data: bytes) -> None:
        """Remember the head of a response that is whole in `data`."""
        end = data.find(_HEAD_END) + len(_HEAD_END)
        if end > _MAX_KNOWN_BYTES or head.length != len(data) - end:
            return
        if any(name.lower() == b"set-cookie" for name, _ in head.fields):  # it will not come again
            return
        if len(self._heads) >= _MAX_KNOWN:  # most are out of date by then
            self._heads.clear()
        self._heads[data[:end]] = head
