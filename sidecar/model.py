"""The values that travel through the house. Each is made by exactly one function.

`bytes` → `BearerToken` → `SignedClaims` → `VerifiedClaims` → `Identity`: trust is a type, and only
an `Identity` can become a header.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, NewType

Claims = Mapping[str, object]

BearerToken = NewType("BearerToken", bytes)
"""What stood after `Bearer `. Nothing about it is proven. Made by `identity.credentials`."""

Field = tuple[bytes, bytes]
"""One header field: name and value as bytes."""


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """A payload whose signature holds; its claims may not. Made by `identity.token`."""

    claims: Claims


class VerifiedClaims(NamedTuple):
    """Claims that hold by every rule of their pool. Made by `identity.claims`.

    A tuple, as `Identity`.

    Attributes:
        claims: The whole payload.
        token_use: `access` or `id`.
        expires_at: Seconds since the epoch; the claims hold only before.
    """

    claims: Claims
    token_use: str
    expires_at: float


class Identity(NamedTuple):
    """A caller whom a Cognito token proved. Made by `identity.authenticator`.

    A tuple because one is made for every new token: 0.5 us instead of 1.1 for a frozen dataclass of
    eight; reading an attribute takes 0.01 us longer.

    Attributes:
        fields: Header fields for the backend, ready to be sent.
        groups: Names from `cognito:groups`.
        scopes: Names from `scope`.
        token_use: `access` or `id`.
        pool_id: The user pool that issued the token.
        kid: The key that signed it.
        expires_at: Seconds since the epoch.
        subject_digest: Tells callers apart in logs, and names none: a piece of the hash of `sub`.
    """

    fields: tuple[Field, ...]
    groups: frozenset[str]
    scopes: frozenset[str]
    token_use: str
    pool_id: str
    kid: str
    expires_at: float
    subject_digest: str = ""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody was proven.

    Attributes:
        reason: Why a presented token did not count; empty without one.
        kid: The key that the token named, exactly as it did; for logs, which must make it safe.
        pool_id: The pool that it was held against; empty if it names none of ours.
    """

    reason: str = ""
    kid: str = ""
    pool_id: str = ""


Caller = Identity | Anonymous


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: a TCP host and port, or the path of a Unix socket.

    Attributes:
        host: Name or IP address, without brackets; empty for a Unix socket.
        port: TCP port; 0 lets the system choose one to listen on, and stands for a Unix socket.
        path: Path of the Unix socket; empty for TCP.
    """

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        """Write it the way settings do."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True)
class RequestRecord:
    """What became of one request, for the log and the metrics. Holds no token and no query.

    Attributes:
        method: As received.
        started_at: Seconds of the monotonic clock. Not of the event loop's: uvloop's tells only
            milliseconds, and the same ones for all that happens in one turn.
        path: The target without its query; empty if it could not be read.
        request_id: The same as in `X-Request-Id`.
        caller: Whom the request was forwarded for.
        reason: Why it was refused or taken for anonymous; empty if neither.
        status: What the client was answered; 0 if it left before.
        duration_s: From the request's head to the last byte of the answer.
        route: Label of the rule that was applied; empty if none could be looked for.
        would_refuse: The reason for which a rule that only reports would have refused it.
        kid: The key that the token of a refused request named, exactly as it did.
        pool_id: The pool that a refused token was held against.
        subject_digest: Of a proven caller who was refused, as in `Identity`.
        trace_id: Of the `traceparent` field, 32 hexadecimal digits; empty without a valid one.
        parent_id: The client's span, 16 digits of the same field.
        is_trace_sampled: What the client decided about recording the trace.
        dropped_fields: How many fields were removed because a client may not send them.
        received_bytes: Of the body, as far as it was read.
        sent_bytes: Of the answer, head included.
        upstream_at: When the request was sent to the backend, as `started_at`.
        upstream_s: From sending the request to the head of the backend's answer; negative if the
            backend was not asked or gave none.
        is_upstream_reused: The request went over a connection that had carried others.
    """

    method: str
    started_at: float
    path: str = ""
    request_id: str = ""
    caller: Caller = Anonymous()
    reason: str = ""
    status: int = 0
    duration_s: float = 0.0
    route: str = ""
    would_refuse: str = ""
    kid: str = ""
    pool_id: str = ""
    subject_digest: str = ""
    trace_id: str = ""
    parent_id: str = ""
    is_trace_sampled: bool = False
    dropped_fields: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0
    upstream_at: float = 0.0
    upstream_s: float = -1.0
    is_upstream_reused: bool = False
