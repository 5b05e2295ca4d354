"""Strip, then inject: the order is the security. Pure.

`strip` takes everything away that the client has no right to say, and `inject` is the only place
that adds identity; it accepts nothing but an `Identity`, which only a verified token can make.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from itertools import chain

from sidecar.errors import FieldsTooLarge, HeaderInvalid
from sidecar.identity.credentials import is_bearer
from sidecar.model import Anonymous, Caller, Field, RequestRecord

AUTH_FIELD = b"X-Cognito-Auth"
REQUEST_ID_FIELD = b"X-Request-Id"

# Taken out of every request: each is either judged here, made anew, or meant for this hop alone
# (RFC 9110 §7.6.1). Nothing in this set ever travels as the client wrote it, save by `inject`.
_TAKEN_OUT = frozenset(
    {
        b"authorization",
        b"connection",
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-request-id",
    }
)

# Ours whatever the mapping says: a backend that reads `X-Cognito-Groups` must not be told by the
# client because the mapping forgot to mention it.
_OUR_NAMESPACE = b"x-cognito-"
_FORWARDED_NAMESPACE = b"x-forwarded-"

_ALPHANUMERIC = b"abcdefghijklmnopqrstuvwxyz0123456789"
_FOLD = bytes(byte if byte in _ALPHANUMERIC else ord("-") for byte in range(256))

_FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding"})

# Of version 00, and of later ones as far as they must agree with it.
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)

_COLON = b": "
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True)
class ClientFields:
    """A client's fields, sorted into what may travel and what must be judged first.

    Attributes:
        kept: Fields that travel as they came, in order.
        taken_out: Values by lower-case name, of every field in `_TAKEN_OUT` and `X-Forwarded-*`.
        dropped: How many fields were removed because a client may not send them.
        traceparent: The last value of that field, which travels too; empty without one.
    """

    kept: list[Field] = field(default_factory=list)
    taken_out: dict[bytes, list[bytes]] = field(default_factory=dict)
    dropped: int = 0
    traceparent: bytes = b""

    def values(self, name: bytes) -> Sequence[bytes]:
        """Return all values of a field that was taken out, by its lower-case name."""
        return self.taken_out.get(name, ())

    def has_kept(self, name: bytes) -> bool:
        """Tell whether a field of this lower-case name travels on."""
        return any(kept.lower() == name for kept, _ in self.kept)


@dataclass(frozen=True, slots=True)
class Hop:
    """What this proxy knows of the client's connection, and says in its own fields.

    Attributes:
        peer: The client's IP address; empty for a Unix socket.
        is_trusted: The peer is a proxy whose `X-Forwarded-*` are believed and extended.
        request_id: For `X-Request-Id`.
    """

    peer: bytes
    is_trusted: bool
    request_id: bytes


def check_size(fields: Iterable[Field], max_bytes: int) -> None:
    """Refuse more fields than a request needs; one alone is limited by the parser in front.

    Raises:
        FieldsTooLarge: Names and values have more than `max_bytes` together.
    """
    if sum(map(len, chain.from_iterable(fields))) > max_bytes:
        raise FieldsTooLarge(f"fields of at most {max_bytes} bytes")


def strip(fields: Iterable[Field], owned: frozenset[bytes]) -> ClientFields:
    """Sort a client's fields; afterwards nothing that speaks of identity is left in `kept`.

    Removed without trace: every name in `owned` and every `X-Cognito-*`, in any case; every name
    with an underscore, for WSGI folds `X_Cognito_Sub` into `X-Cognito-Sub` and gunicorn obeys
    `SCRIPT_NAME`; every name that other servers fold into one of ours, such as `X.Cognito.Sub`;
    every field that `Connection` names.

    Args:
        fields: As received, in order.
        owned: Lower-case names that the header mapping gives to the backend.

    Raises:
        HeaderInvalid: `Connection` names a field that frames the message.
    """
    client = ClientFields()
    for pair in fields:
        fate = _judge(pair[0], owned)
        if fate is _KEPT:
            client.kept.append(pair)
        elif fate is _DROPPED:
            client.dropped += 1
        elif fate == _TRACE_FIELD:
            client.kept.append(pair)
            client.traceparent = pair[1]
        else:
            client.taken_out.setdefault(fate, []).append(pair[1])
    nominated = _nominated(client.values(b"connection"))
    if nominated:
        _drop_nominated(client, nominated)
    return client


_KEPT = b"kept"
_DROPPED = b"dropped"
_TRACE_FIELD = b"traceparent"


# Clients send the same dozen names all the time, and judging one anew takes 0.4 µs, looking it up
# 0.1. A flood of made-up names only costs the judging: the memory is bounded.
@lru_cache(maxsize=1024)
def _judge(name: bytes, owned: frozenset[bytes]) -> bytes:
    """Decide about a field by its name: one of the fates above, or the name to take it out by."""
    name = name.lower()
    if name in _TAKEN_OUT or name.startswith(_FORWARDED_NAMESPACE):
        return name
    if b"_" in name or _is_ours(name, owned) or _folds_into_ours(name, owned):
        return _DROPPED
    return _TRACE_FIELD if name == _TRACE_FIELD else _KEPT


def _is_ours(name: bytes, owned: frozenset[bytes]) -> bool:
    return name.startswith(_OUR_NAMESPACE) or name in owned


def _folds_into_ours(name: bytes, owned: frozenset[bytes]) -> bool:
    """Tell whether a server that folds all punctuation, as lighttpd does for CGI, is fooled."""
    folded = name.translate(_FOLD)
    if folded == name:
        return False
    is_judged = folded in _TAKEN_OUT or folded.startswith(_FORWARDED_NAMESPACE)
    return is_judged or _is_ours(folded, owned)


def inject(client: ClientFields, caller: Caller, hop: Hop, *, forward_token: bool) -> list[Field]:
    """Make the fields for the backend: the client's, then ours.

    Args:
        client: From `strip`.
        caller: Whom the request is forwarded for.
        hop: What is known of the client's connection.
        forward_token: Whether the backend may see a token that proved the caller. A token that
            proved nothing is never forwarded.
    """
    is_proven = not isinstance(caller, Anonymous)
    fields = [(b"Host", client.values(b"host")[0]), *client.kept]
    for value in client.values(b"authorization"):
        if (is_proven and forward_token) or not is_bearer(value):
            fields += [(b"Authorization", value)]
    if not isinstance(caller, Anonymous):
        fields += caller.fields
    fields += _forwarded(client, hop)
    fields.append((REQUEST_ID_FIELD, hop.request_id))
    return fields


def serialise(start_line: bytes, fields: Sequence[Field]) -> bytes:
    """Write a message head without its empty line.

    Raises:
        HeaderInvalid: A field contains a line break, which would make two fields of one. The
            parsers in front exclude it; this makes sure of it whatever they do.
    """
    lines = [start_line, *map(_COLON.join, fields), b""]
    head = b"\r\n".join(lines)
    breaks = len(lines) - 1
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        raise HeaderInvalid("fields without line breaks")
    return head


def status_line(status: int, phrase: bytes | None = None) -> bytes:
    """Write the first line of a response; the phrase of RFC 9110 where none is given."""
    if phrase is None:
        phrase = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %b" % (status, phrase)


def strip_response(fields: Sequence[Field], *, keeps_length: bool) -> list[Field]:
    """Keep of the backend's fields what is meant for the client, in order.

    Removed: hop-by-hop fields and those that `Connection` names, and our own two names.

    Args:
        fields: As received.
        keeps_length: Whether `Content-Length` may stand in the answer.
    """
    named = [(pair[0].lower(), pair) for pair in fields]
    connection = tuple(pair[1] for name, pair in named if name == b"connection")
    gone = _response_removed(connection, keeps_length=keeps_length)
    return [pair for name, pair in named if name not in gone]


@lru_cache(maxsize=64)  # a backend says `keep-alive` or `close` all the time
def _response_removed(connection: tuple[bytes, ...], *, keeps_length: bool) -> frozenset[bytes]:
    gone = _RESPONSE_REMOVED | (_nominated(connection) - {b"content-length"})
    return gone if keeps_length else gone | {b"content-length"}


_RESPONSE_REMOVED = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        AUTH_FIELD.lower(),
        REQUEST_ID_FIELD.lower(),
    }
)


def tell(
    caller: Caller, request_id: bytes, reason: str = "", *, is_known: bool = False
) -> tuple[Field, Field]:
    """Make the two fields that every response gets: what became of the token, and the request id.

    Args:
        caller: Whom the request was, or would have been, forwarded for.
        request_id: As the backend saw it.
        reason: Why the request was refused; empty if it was not.
        is_known: The caller was proven, and refused for what they may not do.
    """
    if isinstance(caller, Anonymous) and not is_known:
        state, reason = "anonymous", reason or caller.reason
    else:
        state = "authenticated"
    auth = f"{state}; reason={reason}" if reason else state
    return (AUTH_FIELD, auth.encode()), (REQUEST_ID_FIELD, request_id)


def choose_request_id(offered: Sequence[bytes], made: bytes) -> bytes:
    """Keep the client's request id if it is one sane value, else take ours."""
    if len(offered) == 1 and _REQUEST_ID.fullmatch(offered[0]):
        return offered[0]
    return made


def is_reserved(name: bytes) -> bool:
    """Tell whether a lower-case field name is judged or made by this proxy itself."""
    ours = name in (AUTH_FIELD.lower(), REQUEST_ID_FIELD.lower())
    return ours or name in _TAKEN_OUT or name.startswith(_FORWARDED_NAMESPACE)


def note_trace(traceparent: bytes, record: RequestRecord) -> None:
    """Note which trace a request belongs to, if the field says so (W3C Trace Context §3.2)."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is not None:
        record.trace_id, record.parent_id = match[1].decode(), match[2].decode()
        record.is_trace_sampled = bool(int(match[3], 16) & 1)


def _nominated(connection: Sequence[bytes]) -> frozenset[bytes]:
    if not connection:
        return frozenset()
    options = b",".join(connection).lower().split(b",")
    return frozenset(option.strip(b" \t") for option in options) - {b"", b"close", b"keep-alive"}


def _drop_nominated(client: ClientFields, nominated: frozenset[bytes]) -> None:
    if not nominated.isdisjoint(_FRAMING):
        raise HeaderInvalid("a Connection field that names no framing field")
    client.kept = [pair for pair in client.kept if pair[0].lower() not in nominated]
    for name in nominated - {b"upgrade"}:
        client.taken_out.pop(name, None)


def _forwarded(client: ClientFields, hop: Hop) -> Iterable[Field]:
    host = client.values(b"host")[0]
    if not hop.is_trusted:
        ours = ((b"X-Forwarded-Proto", b"http"), (b"X-Forwarded-Host", host))
        return ((b"X-Forwarded-For", hop.peer), *ours) if hop.peer else ours
    said = {name: values for name, values in client.taken_out.items() if b"forwarded" in name}
    said.setdefault(b"x-forwarded-proto", [b"http"])
    said.setdefault(b"x-forwarded-host", [host])
    if hop.peer:
        said[b"x-forwarded-for"] = [b", ".join([*said.get(b"x-forwarded-for", ()), hop.peer])]
    return [(name.title(), value) for name, values in said.items() for value in values]
