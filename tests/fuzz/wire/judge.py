"""What must hold of every case, whatever was sent. Pure: bytes in, a complaint or nothing out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fuzz.wire.callers import Callers, fill_in
from tests.fuzz.wire.cases import Case
from tests.fuzz.wire.readers import READERS, as_sent
from tests.support.wire import Sent, fold, read_requests

_ANSWER = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [^\r\n]*\r\n")
_STATE = re.compile(rb"\r\nX-Cognito-Auth: (authenticated|anonymous)")
_SOFTWARE = re.compile(rb"aiohttp|python|uvloop|llhttp|traceback|server:", re.IGNORECASE)
_BEARER = re.compile(rb"bearer[^!#$%&'*+.^_`|~0-9a-z-]", re.IGNORECASE)
_OURS = frozenset(
    {
        b"authorization",
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"x-cognito-sub",
        b"x-cognito-username",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-request-id",
    }
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came of one case.

    Attributes:
        case: What was meant.
        sent: The bytes that went out, tokens in place.
        mode: Of the sidecar.
        received: The bytes that came back.
        is_closed: The server ended the connection; else the client gave up waiting.
        recorded: What the backend was sent, by connection.
    """

    case: Case
    sent: bytes
    mode: str
    received: bytes
    is_closed: bool
    recorded: Sequence[bytes]


def judge(evidence: Evidence, callers: Callers) -> list[Sent]:
    """Hold a case against every law, and return the requests that the backend saw.

    Raises:
        AssertionError: A law is broken.
    """
    seen = [request for raw in evidence.recorded for request in _agree(raw)]
    for request in seen:
        _check_identity(request, evidence, callers)
        _check_origin(request, evidence)
    _check_counts(seen, evidence)
    assert not _SOFTWARE.search(evidence.received), "an answer names software"
    assert b"ca7a7y" not in evidence.received, "an answer repeats the client's bytes"
    if evidence.case.spoken is not None:
        _check_well_formed(seen, evidence, callers)
    return seen


def _agree(raw: bytes) -> list[Sent]:
    """All parsers see the same requests in what arrived, cut short only at its end."""
    requests = read_requests(raw)
    whole = [request for request in requests if request.is_complete]
    length = sum(request.length for request in whole)
    expected = [as_sent(request) for request in whole]
    for name, read in READERS.items():
        found = read(raw[:length])
        assert found == expected, f"{name} reads {found!r}, the plain reader {expected!r}"
    return requests


def _check_identity(request: Sent, evidence: Evidence, callers: Callers) -> None:
    """An identity pair arrives only if the token of that very request proves it."""
    ours = [(fold(name), value) for name, value in request.fields]
    ours = [pair for pair in ours if pair[0].startswith("HTTP_X_COGNITO_")]
    bearers = [v for v in request.values(b"authorization") if _BEARER.match(v)]
    if not ours:
        assert not bearers, "a token that proved nobody is forwarded"
        is_preflight = request.method == b"OPTIONS" and request.values(b"origin")
        assert evidence.mode != "require" or is_preflight, "nobody gets in where a token is needed"
        return
    assert len(bearers) == 1, "an identity without its token"
    sub, username = callers.proven[bearers[0][7:]]
    assert ours == [("HTTP_X_COGNITO_SUB", sub), ("HTTP_X_COGNITO_USERNAME", username)]
    assert _is_in_one_head(request.target, bearers[0][7:], evidence.sent), "a borrowed identity"


def _is_in_one_head(target: bytes, token: bytes, sent: bytes) -> bool:
    at = sent.find(target)
    while at >= 0:
        end = sent.find(b"\r\n\r\n", at)
        if token in sent[at : end if end >= 0 else len(sent)]:
            return True
        at = sent.find(target, at + 1)
    return False


def _check_origin(request: Sent, evidence: Evidence) -> None:
    """What arrives was sent: no byte of a request is made up, save in the fields that are ours."""
    sent = evidence.sent
    assert request.method in sent
    assert request.target in sent
    for name, value in request.fields:
        assert b"_" not in name, "a name with an underscore"
        if name.lower() not in _OURS:
            assert name in sent, name
            assert value in sent, value
    if not request.values(b"transfer-encoding"):
        assert request.body in sent


def _check_counts(seen: Sequence[Sent], evidence: Evidence) -> None:
    """Never more requests at the backend than answers that say so."""
    answers = _ANSWER.findall(evidence.received)
    served = answers.count(b"200")
    states = _STATE.findall(evidence.received)
    assert len(states) == len([status for status in answers if status[:1] != b"1"])
    whole = [request for request in seen if request.is_complete]
    slack = 0 if evidence.is_closed else 1
    assert served <= len(whole) <= served + slack, f"{len(whole)} arrived, {served} answered"
    assert len(seen) <= len(whole) + 1, "two requests at once for one client"
    known = [request for request in whole if request.values(b"x-cognito-sub")]
    assert len(known) <= states.count(b"authenticated") + slack
    assert b"500" not in answers, "a bug of ours"


def _check_well_formed(seen: Sequence[Sent], evidence: Evidence, callers: Callers) -> None:
    """Well-formed requests arrive as they were, once, each with its own fields and caller."""
    assert evidence.is_closed, "a well-formed case must come to its end"
    statuses = [status for status in _ANSWER.findall(evidence.received) if status != b"100"]
    spoken = evidence.case.spoken or ()
    if len(statuses) <= len(spoken):  # ended early, after chunks or a refused body, and said so
        last = evidence.received.rpartition(b"HTTP/1.1 ")[2]
        assert b"\r\nConnection: close\r\n" in last, "closed without a word"
        assert statuses[-1] != b"200" or b"Transfer-Encoding" in spoken[len(statuses) - 1].raw
    served = [each for each, status in zip(spoken, statuses, strict=False) if status == b"200"]
    # By target, for they may have come over several connections, which tell no order.
    arrived = {request.target: request for request in seen if request.target != b"/end"}
    assert set(arrived) == {each.target for each in served}
    assert len(seen) == len(arrived) + (statuses[len(spoken) :] == [b"200"])
    for each in served:
        request = arrived[each.target]
        assert (request.method, request.body) == (each.method, each.body)
        token = fill_in(each.caller, callers)
        proven = callers.proven.get(token)
        assert request.values(b"x-cognito-sub") == ([proven[0]] if proven else [])
        head = each.raw.partition(b"\r\n\r\n")[0]
        strangers = [n for n, _ in request.fields if n not in head and n.lower() not in _OURS]
        assert not strangers, "a field of another request"
