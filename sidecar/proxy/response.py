"""Bytes of the backend → response heads and body. Pure: it parses; it neither sends nor waits."""

from collections import deque
from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sidecar.errors import UpstreamBroken
from sidecar.model import Field

MAX_HEAD_BYTES = 64 * 1024
"""Of a response's fields in all, interim responses included; browsers stop at a quarter of it."""

SWITCHING = 101
_FIRST_STATUS = 100
_NO_BODY = frozenset({204, 304})
_PROTOCOL = b"HTTP/"
_VERSIONS = frozenset({"1.0", "1.1"})


@dataclass(slots=True)
class ResponseHead:
    """Status line and fields of one response, interim or final.

    Attributes:
        status: At least 100.
        reason: The phrase, as sent; may be empty.
        fields: As received, in order.
        length: Of the body, if the backend said so; None otherwise.
        is_chunked: The backend frames the body in chunks.
        has_body: False where HTTP allows none (HEAD, 204, 304, interim responses, 101).
    """

    status: int
    reason: bytes
    fields: list[Field]
    length: int | None = None
    is_chunked: bool = False
    has_body: bool = True

    @property
    def is_interim(self) -> bool:
        """Whether another head follows (RFC 9110 §15.2)."""
        return self.status < 200 and self.status != SWITCHING  # noqa: PLR2004 - class of the status


class ResponseReader:
    """Reads one response after another. A class because a parser stands between two bytes.

    httptools calls the `on_*` methods.

    Attributes:
        heads: Heads that nobody has taken yet, interim ones first.
        has_final_head: The final head has been read.
        is_complete: Nothing of a response is outstanding.
        is_reusable: Nothing has been read that forbids another exchange on this connection.
        is_upgraded: The backend speaks another protocol from here on; all bytes are body.
        is_until_close: The body ends with the connection.
        body_bytes: How much of the body has not been taken.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.heads: deque[ResponseHead] = deque()
        self.is_complete = True
        self.is_reusable = True
        self.is_upgraded = False
        self.is_until_close = False
        self.has_final_head = False
        self.body_bytes = 0
        self._body: list[bytes] = []
        self._head_bytes = 0
        self._beginning = b""
        self._phrase = b""
        self._fields: list[Field] = []
        self._is_head = False
        self._may_upgrade = False

    def expect(self, *, is_head: bool, may_upgrade: bool) -> None:
        """Prepare for the response to a request.

        Args:
            is_head: The method is HEAD, whose response has no body whatever its fields say.
            may_upgrade: The request was a WebSocket handshake.
        """
        self._is_head = is_head
        self._may_upgrade = may_upgrade
        self.is_complete = False
        self.is_until_close = False
        self.has_final_head = False
        self._head_bytes = 0
        self._beginning = b""

    def feed(self, data: bytes) -> None:
        """Read more.

        Raises:
            UpstreamBroken: It is no HTTP/1.1 response, or not one to this request.
        """
        if self.is_upgraded:
            self.on_body(data)
            return
        if not self.has_final_head:
            self._check_protocol(data)
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self.is_upgraded = True
            self.on_body(data[upgrade.args[0] :])
        except HttpParserError as error:
            self.is_reusable = False
            if not self.is_complete:  # else it is garbage after the response, which harms nobody
                raise UpstreamBroken("an HTTP/1.1 response") from error
        if self._head_bytes > MAX_HEAD_BYTES and not self.has_final_head:
            raise _too_long()

    def end(self) -> bool:
        """Note the end of the connection, and tell whether the response is whole with it."""
        self.is_reusable = False
        self.is_complete = self.is_complete or self.is_until_close or self.is_upgraded
        return self.is_complete

    def take(self) -> bytes:
        """Return what has been read of the body and not been taken yet."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        self.body_bytes = 0
        return body

    # --- httptools --------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Notice a second response that nobody asked for."""
        if self.is_complete:
            self.is_reusable = False
        self._phrase = b""
        self._fields = []

    def on_status(self, phrase: bytes) -> None:
        """Collect the reason phrase."""
        self._phrase += phrase

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect one field; trailers come here too and are dropped."""
        if not self.has_final_head:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Make the head.

        Raises:
            UpstreamBroken: Two framings, or another protocol than the request asked for.
        """
        if self.is_complete:
            return
        head = ResponseHead(self._parser.get_status_code(), self._phrase, self._fields)
        if head.status < _FIRST_STATUS or self._parser.get_http_version() not in _VERSIONS:
            raise UpstreamBroken("a status of HTTP/1.1")
        self._check_head_size(head)
        if head.is_interim:
            head.has_body = False
        elif head.status == SWITCHING:
            self._check_switch(head)
        else:
            self._find_end(head)
        self.has_final_head = not head.is_interim
        self.heads.append(head)

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        if self.is_complete:
            self.is_reusable = False
            return
        if data:
            self._body.append(data)
            self.body_bytes += len(data)

    def on_message_complete(self) -> None:
        """Note the end of the response; an interim one or a switch is none."""
        if not self.has_final_head or self._parser.should_upgrade():
            return
        self.is_complete = True
        if not self._parser.should_keep_alive():
            self.is_reusable = False

    # --- inside -----------------------------------------------------------------------------------

    def _check_protocol(self, data: bytes) -> None:
        # llhttp takes `RTSP/1.0 200 OK` for a response.
        if len(self._beginning) < len(_PROTOCOL):
            self._beginning += data[: len(_PROTOCOL) - len(self._beginning)]
            if not _PROTOCOL.startswith(self._beginning):
                raise UpstreamBroken("an HTTP/1.1 response")

    def _check_switch(self, head: ResponseHead) -> None:
        protocols = [value.lower() for name, value in head.fields if name.lower() == b"upgrade"]
        is_asked_for = self._may_upgrade and protocols == [b"websocket"]
        if not (is_asked_for and self._parser.should_upgrade()):
            raise UpstreamBroken("101 only in answer to a WebSocket handshake")
        self.is_reusable = False
        head.has_body = False

    def _find_end(self, head: ResponseHead) -> None:
        _read_framing(head)
        head.has_body = not (self._is_head or head.status in _NO_BODY)
        self.is_until_close = head.has_body and head.length is None and not head.is_chunked
        if self._is_head or (not head.has_body and (head.length or head.is_chunked)):
            # A body that must not come may come all the same, and late: it would answer whoever
            # is next. Nor can httptools be told that HEAD has none.
            self.is_reusable = False
        self.is_complete = self._is_head

    def _check_head_size(self, head: ResponseHead) -> None:
        if self._head_bytes <= MAX_HEAD_BYTES:
            return
        if sum(len(name) + len(value) for name, value in head.fields) > MAX_HEAD_BYTES:
            raise _too_long()


def _read_framing(head: ResponseHead) -> None:
    lengths = [value for name, value in head.fields if name.lower() == b"content-length"]
    codings = [value for name, value in head.fields if name.lower() == b"transfer-encoding"]
    if len(lengths) > 1 or (lengths and codings):
        raise UpstreamBroken("one framing")
    if codings and (len(codings) > 1 or codings[0].lower() != b"chunked"):
        raise UpstreamBroken("chunked as the only transfer coding")
    if lengths:
        if not lengths[0].isdigit():
            raise UpstreamBroken("a length in digits")
        head.length = int(lengths[0])
    head.is_chunked = bool(codings)


def _too_long() -> UpstreamBroken:
    return UpstreamBroken(f"a response head of at most {MAX_HEAD_BYTES} bytes")
