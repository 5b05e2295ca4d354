"""Strip, then inject: the order is the security. Pure.

`strip` takes everything away that the client has no right to say, and `inject` is the only place
that adds identity; it accepts nothing but an `Identity`, which only a verified token can make.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from typing import NamedTuple

from sidecar.errors import FieldsTooLarge, HeaderInvalid
from sidecar.identity.credentials import is_bearer
from sidecar.model import Anonymous, Caller, Field, RequestRecord
from sidecar.proxy.fates import DROPPED, KEPT, Fates, nominated_by
from sidecar.proxy.response_headers import AUTH_FIELD, REQUEST_ID_FIELD

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

    kept: list[Field]
    taken_out: dict[bytes, list[bytes]]
    dropped: int
    traceparent: bytes

    def values(self, name: bytes) -> Sequence[bytes]:
        """Return all values of a field that was taken out, by its lower-case name."""
        return self.taken_out.get(name, ())

    def has_kept(self, name: bytes) -> bool:
        """Tell whether a field of this lower-case name travels on."""
        return any(kept.lower() == name for kept, _ in self.kept)


class Hop(NamedTuple):
    """What this proxy knows of the client's connection, and says in its own fields.

    A tuple because one is made for every request, in half a frozen dataclass's time.

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
    kept: list[Field] = []
    taken_out: dict[bytes, list[bytes]] = {}
    dropped, traceparent = 0, b""
    fates = _fates(owned)
    for pair in fields:
        fate = fates[pair[0]]
        if fate is KEPT:
            kept.append(pair)
        elif fate is DROPPED:
            dropped += 1
        elif fate is _TRACE_FIELD:
            kept.append(pair)
            traceparent = pair[1]
        elif fate in taken_out:
            taken_out[fate].append(pair[1])
        else:
            taken_out[fate] = [pair[1]]
    client = ClientFields(kept, taken_out, dropped, traceparent)
    if b"connection" in taken_out:
        _drop_nominated(client, nominated_by(tuple(taken_out[b"connection"])))
    return client


_TRACE_FIELD = b"traceparent"


@lru_cache(maxsize=8)  # there is one mapping, and another one after a change of the settings
def _fates(owned: frozenset[bytes]) -> Fates:
    return Fates(partial(_judge, owned))


def _judge(owned: frozenset[bytes], name: bytes) -> bytes:
    if name in _TAKEN_OUT or name.startswith(_FORWARDED_NAMESPACE):
        return name
    if b"_" in name or _is_ours(name, owned) or _folds_into_ours(name, owned):
        return DROPPED
    return _TRACE_FIELD if name == _TRACE_FIELD else KEPT


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
    fields = [(b"Host", client.taken_out[b"host"][0]), *client.kept]
    may_see = is_proven and forward_token
    fields += [
        (b"Authorization", value)
        for value in client.values(b"authorization")
        if may_see or not is_bearer(value)
    ]
    if not isinstance(caller, Anonymous):
        fields += caller.fields
    fields += _forwarded(client, hop)
    fields.append((REQUEST_ID_FIELD, hop.request_id))
    return fields


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


def _drop_nominated(client: ClientFields, nominated: frozenset[bytes]) -> None:
    if not nominated:
        return
    if not nominated.isdisjoint(_FRAMING):
        raise HeaderInvalid("a Connection field that names no framing field")
    client.kept = [pair for pair in client.kept if pair[0].lower() not in nominated]
    for name in nominated - {b"upgrade"}:
        client.taken_out.pop(name, None)


@lru_cache(maxsize=1024)  # a client asks more than once, and nearly all for the same host
def _forwarded_by_us(host: bytes, peer: bytes) -> tuple[Field, ...]:
    ours = ((b"X-Forwarded-Proto", b"http"), (b"X-Forwarded-Host", host))
    return ((b"X-Forwarded-For", peer), *ours) if peer else ours


def _forwarded(client: ClientFields, hop: Hop) -> Iterable[Field]:
    host = client.taken_out[b"host"][0]
    if not hop.is_trusted:
        return _forwarded_by_us(host, hop.peer)
    said = {name: values for name, values in client.taken_out.items() if b"forwarded" in name}
    said.setdefault(b"x-forwarded-proto", [b"http"])
    said.setdefault(b"x-forwarded-host", [host])
    if hop.peer:
        said[b"x-forwarded-for"] = [b", ".join([*said.get(b"x-forwarded-for", ()), hop.peer])]
    return [(name.title(), value) for name, values in said.items() for value in values]
