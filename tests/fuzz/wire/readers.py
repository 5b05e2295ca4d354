"""Three parsers that others wrote: what they make of the bytes that a backend was sent."""

import copy
from dataclasses import dataclass, field

import h11
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData
from gunicorn.http.parser import RequestParser
from httptools import HttpParserUpgrade, HttpRequestParser

from tests.support.wire import Sent


@dataclass(slots=True)
class Read:
    """One request as a parser understood it; names in lower case."""

    method: bytes = b""
    target: bytes = b""
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


def as_sent(request: Sent) -> Read:
    """Put a request of the plain reader into the same words."""
    fields = [(name.lower(), value) for name, value in request.fields]
    return Read(request.method, request.target, fields, request.body)


def read_with_h11(raw: bytes) -> list[Read]:
    """Read as h11 does, the strictest of the three."""
    requests: list[Read] = []
    while raw:
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        parser.receive_data(raw)
        request = Read()
        while not isinstance(event := parser.next_event(), h11.EndOfMessage):
            assert not isinstance(event, type), f"h11 wants more: {event}"
            if isinstance(event, h11.Request):
                fields = [(bytes(name), bytes(value)) for name, value in event.headers]
                request = Read(bytes(event.method), bytes(event.target), fields)
            elif isinstance(event, h11.Data):
                request.body += bytes(event.data)
        requests.append(request)
        raw = parser.trailing_data[0]
    return requests


def read_with_httptools(raw: bytes) -> list[Read]:
    """Read as httptools (llhttp) does, which uvicorn and Node share."""
    requests: list[Read] = []
    while raw:
        reader = _Httptools(requests)
        try:
            reader.parser.feed_data(raw)
        except HttpParserUpgrade as upgrade:
            raw = raw[upgrade.args[0] :]
        else:
            raw = b""
        assert reader.is_complete, "httptools wants more"
    return requests


class _Httptools:
    def __init__(self, requests: list[Read]) -> None:
        self.parser = HttpRequestParser(self)
        self.is_complete = True
        self._requests = requests

    def on_message_begin(self) -> None:
        self.is_complete = False
        self._requests.append(Read())

    def on_url(self, url: bytes) -> None:
        self._requests[-1].target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._requests[-1].fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._requests[-1].method = self.parser.get_method()

    def on_body(self, data: bytes) -> None:
        self._requests[-1].body += data

    def on_message_complete(self) -> None:
        self.is_complete = True


def _gunicorn_config() -> Config:
    config = Config()
    config.set("http_parser", "python")
    config.set("limit_request_line", 0)
    config.set("limit_request_fields", 1000)
    config.set("limit_request_field_size", 0)
    return config


_GUNICORN = _gunicorn_config()


def read_with_gunicorn(raw: bytes) -> list[Read]:
    """Read as gunicorn does, names folded for WSGI already."""
    requests: list[Read] = []
    parser = RequestParser(copy.copy(_GUNICORN), iter([raw]), ("127.0.0.1", 1))
    while True:
        try:
            message = next(parser)
        except (StopIteration, NoMoreData):
            return requests
        fields = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in message.headers
        ]
        body = message.body.read()
        method, target = message.method.encode(), message.uri.encode("latin-1")
        requests.append(Read(method, target, fields, body))


READERS = {
    "h11": read_with_h11,
    "httptools": read_with_httptools,
    "gunicorn": read_with_gunicorn,
}
