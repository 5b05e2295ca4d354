"""What the client gets of the backend's fields, and what we say in our own. Pure."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sidecar.model import Anonymous, Caller, Field
from sidecar.proxy.fates import KEPT, Fates, nominated_by

AUTH_FIELD = b"X-Cognito-Auth"
REQUEST_ID_FIELD = b"X-Request-Id"


def strip_response(
    fields: Sequence[Field],
) -> tuple[list[Field], Mapping[bytes, Sequence[bytes]]]:
    """Keep of the backend's fields what is meant for the client, in order.

    Removed: hop-by-hop fields and those that `Connection` names, and our own two names.

    Args:
        fields: As received.

    Returns:
        The fields kept, and by lower-case name the values of what frames the response: of
        `Content-Length`, which is kept too, and of the hop-by-hop fields.
    """
    kept: list[Field] = []
    framing: dict[bytes, list[bytes]] = {}
    for pair in fields:
        fate = _RESPONSE_FATES[pair[0]]
        if fate is KEPT:
            kept.append(pair)
            continue
        if fate is _LENGTH:
            kept.append(pair)
        framing.setdefault(fate, []).append(pair[1])
    if b"connection" in framing:
        nominated = nominated_by(tuple(framing[b"connection"])) - {_LENGTH}
        if nominated:
            kept = [pair for pair in kept if pair[0].lower() not in nominated]
    return kept, framing


_LENGTH = b"content-length"


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


def _judge_response(name: bytes) -> bytes:
    if name == _LENGTH:
        return _LENGTH
    return name if name in _RESPONSE_REMOVED else KEPT


_RESPONSE_FATES = Fates(_judge_response)


def tell(caller: Caller, request_id: bytes, reason: str = "") -> tuple[Field, Field]:
    """Make the two fields that every response gets: what became of the token, and the request id.

    Args:
        caller: Whom the request was, or would have been, forwarded for.
        request_id: As the backend saw it.
        reason: Why the request was refused; empty if it was not.
    """
    if isinstance(caller, Anonymous):
        auth = _tell_auth("anonymous", reason or caller.reason)
    else:
        auth = _tell_auth("authenticated", reason) if reason else b"authenticated"
    return (AUTH_FIELD, auth), (REQUEST_ID_FIELD, request_id)


@lru_cache(maxsize=128)  # there are two states and some thirty reasons
def _tell_auth(state: str, reason: str) -> bytes:
    return (f"{state}; reason={reason}" if reason else state).encode()
