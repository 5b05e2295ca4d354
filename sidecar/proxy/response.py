"""Bytes of the backend → response heads and body. Pure: it parses; it neither sends nor waits."""

from collections import deque
from collections.abc import Mapping, Sequence

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sidecar.errors import UpstreamBroken
from sidecar.model import Field
from sidecar.proxy.response_head import SWITCHING, KnownHeads, ResponseHead
from sidecar.proxy.response_headers import strip_response

Framing = Mapping[bytes, Sequence[bytes]]
"""Values by lower-case name, of the fields that frame a response; see `strip_response`."""

MAX_HEAD_BYTES = 64 * 1024
"""Of a response's fields in all, interim responses included; browsers stop at a quarter of it."""

_FIRST_STATUS = 100
_FIRST_FINAL = 200
_NO_BODY = frozenset({204, 304})
_PROTOCOL = b"HTTP/"
_VERSIONS = frozenset({"1.0", "1.1"})


class ResponseReader:
    """Reads one response after another. A class because a parser stands between two bytes.

    httptools calls the `on_*` methods.

    Args:
        known: Shared by all readers of one backend.

    Attributes:
        heads: Heads that nobody has taken yet, interim ones first.
        has_final_head: The final head has been read.
        is_complete: Nothing of a response is outstanding.
        is_reusable: Nothing has been read that forbids another exchange on this connection.
        is_upgraded: The backend speaks another protocol from here on; all bytes are body.
        is_until_close: The body ends with the connection.
        body_bytes: How much of the body has not been taken.
    """

    def __init__(self, known: KnownHeads | None = None) -> None:
        self._parser = HttpResponseParser(self)
        self._known = known or KnownHeads()
        self._is_fresh = False
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
        # Nothing is left of the response before, or the pool would not have kept the connection.
        self.heads.clear()
        self.take()
        self._is_head = is_head
        self._may_upgrade = may_upgrade
        self.is_complete = False
        self.is_until_close = False
        self.has_final_head = False
        self._head_bytes = 0
        self._beginning = b""
        self._is_fresh = self.is_reusable and not (is_head or may_upgrade)

    def feed(self, data: bytes) -> None:
        """Read more.

        Raises:
            UpstreamBroken: It is no HTTP/1.1 response, or not one to this request.
        """
        if not self._is_fresh:
            self._parse(data)
            return
        self._is_fresh = False
        known = self._known.find(data)
        if known is not None:
            head, body = known
            self.heads.append(head)
            self.has_final_head = self.is_complete = True
            self._body.append(body)
            self.body_bytes = len(body)
            return
        self._parse(data)
        if self.is_complete and self.is_reusable and len(self.heads) == 1:
            self._known.learn(self.heads[0], data)

    def end(self) -> bool:
        """Note the end of the connection, and tell whether the response is whole with it.

        Nothing may be read after it.
        """
        self.is_reusable = False
        self.is_complete = self.is_complete or self.is_until_close or self.is_upgraded
        del self._parser  # each keeps the other
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
        kept, framing = strip_response(self._fields)
        head = ResponseHead(self._parser.get_status_code(), self._phrase, kept)
        head.is_interim = head.status < _FIRST_FINAL and head.status != SWITCHING
        if head.status < _FIRST_STATUS or self._parser.get_http_version() not in _VERSIONS:
            raise UpstreamBroken("a status of HTTP/1.1")
        if self._head_bytes > MAX_HEAD_BYTES:
            self._check_head_size()
        if head.is_interim:
            head.has_body = False
        elif head.status == SWITCHING:
            self._check_switch(head, framing)
        else:
            self._find_end(head, framing)
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

    def _parse(self, data: bytes) -> None:
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

    def _check_protocol(self, data: bytes) -> None:
        # llhttp takes `RTSP/1.0 200 OK` for a response.
        if not self._beginning and data.startswith(_PROTOCOL):
            self._beginning = _PROTOCOL
        elif len(self._beginning) < len(_PROTOCOL):
            self._beginning += data[: len(_PROTOCOL) - len(self._beginning)]
            if not _PROTOCOL.startswith(self._beginning):
                raise UpstreamBroken("an HTTP/1.1 response")

    def _check_switch(self, head: ResponseHead, framing: Framing) -> None:
        protocols = [value.lower() for value in framing.get(b"upgrade", ())]
        is_asked_for = self._may_upgrade and protocols == [b"websocket"]
        if not (is_asked_for and self._parser.should_upgrade()):
            raise UpstreamBroken("101 only in answer to a WebSocket handshake")
        self.is_reusable = False
        head.has_body = False

    def _find_end(self, head: ResponseHead, framing: Framing) -> None:
        _read_framing(head, framing)
        head.has_body = not (self._is_head or head.status in _NO_BODY)
        self.is_until_close = head.has_body and head.length is None and not head.is_chunked
        if self._is_head or (not head.has_body and (head.length or head.is_chunked)):
            # A body that must not come may come all the same, and late: it would answer whoever
            # is next. Nor can httptools be told that HEAD has none.
            self.is_reusable = False
        self.is_complete = self._is_head

    def _check_head_size(self) -> None:
        if sum(len(name) + len(value) for name, value in self._fields) > MAX_HEAD_BYTES:
            raise _too_long()


def _read_framing(head: ResponseHead, framing: Framing) -> None:
    lengths = framing.get(b"content-length")
    codings = framing.get(b"transfer-encoding")
    if lengths:
        if len(lengths) > 1 or codings:
            raise UpstreamBroken("one framing")
        if not lengths[0].isdigit():
            raise UpstreamBroken("a length in digits")
        head.length = int(lengths[0])
    elif codings:
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise UpstreamBroken("chunked as the only transfer coding")
        head.is_chunked = True


def _too_long() -> UpstreamBroken:
    return UpstreamBroken(f"a response head of at most {MAX_HEAD_BYTES} bytes")
