"""The one error tree: one leaf per checked thing, each with its stable reason and its status.

Reasons are part of the contract (log, metric label, header, body); a renamed one breaks clients.
A message says what was expected, never what the client sent.
"""

from typing import ClassVar

from sidecar.model import Identity


class SidecarError(Exception):
    """Something the sidecar refuses or cannot do, worded for the client by `proxy/refusal.py`."""

    reason: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, expected: str = "") -> None:
        super().__init__(expected or self.reason)
        self.expected = expected


# --- the token: 401 -----------------------------------------------------------------------------


class TokenError(SidecarError):
    """The presented token proves nothing, and never will by itself.

    Attributes:
        kid: The key that the token names, exactly as it does; empty if that could not be read.
        pool_id: The pool whose rules the token was held against; empty if it names none of ours.
    """

    status = 401
    kid: str = ""
    pool_id: str = ""


class TokenMissing(TokenError):
    """The route needs a token and none was presented."""

    reason = "token_missing"


class TokenMalformed(TokenError):
    """Not one RS256 compact JWS in its one canonical spelling."""

    reason = "token_malformed"


class TokenTooLarge(TokenError):
    """More bytes than any token of Cognito has."""

    reason = "token_too_large"


class AlgorithmNotAllowed(TokenError):
    """`alg` is anything but RS256, the only one Cognito signs with."""

    reason = "algorithm_not_allowed"


class KeyUnknown(TokenError):
    """`kid` names no current key of the pool."""

    reason = "key_unknown"

    def __init__(self, kid: str, pool_id: str) -> None:
        super().__init__("a kid of the pool's current key set")
        self.kid = kid
        self.pool_id = pool_id


class SignatureInvalid(TokenError):
    """The key that `kid` names did not sign these bytes."""

    reason = "signature_invalid"


class TokenExpired(TokenError):
    """`exp` is at or before now."""

    reason = "token_expired"


class TokenNotYetValid(TokenError):
    """`nbf` or `iat` lies ahead of now by more than the leeway."""

    reason = "token_not_yet_valid"


class IssuerMismatch(TokenError):
    """`iss` is not exactly one of the pool's issuers."""

    reason = "issuer_mismatch"


class ClientMismatch(TokenError):
    """`client_id` or `aud` is not one of the accepted app clients."""

    reason = "client_mismatch"


class TokenUseMismatch(TokenError):
    """`token_use` is not an accepted kind."""

    reason = "token_use_mismatch"


class ClaimError(TokenError):
    """One claim, named by `claim`, is wrong."""

    def __init__(self, claim: str, expected: str) -> None:
        super().__init__(expected)
        self.claim = claim


class ClaimMissing(ClaimError):
    """A required claim is absent."""

    reason = "claim_missing"


class ClaimInvalid(ClaimError):
    """A claim has the wrong type or a value that must never become a header."""

    reason = "claim_invalid"


class TokenRevoked(TokenError):
    """Cognito says that the token was revoked or its user signed out."""

    reason = "token_revoked"


# --- the policy: 403 ----------------------------------------------------------------------------


class PolicyError(SidecarError):
    """The caller is known, and may not do this.

    Attributes:
        caller: Who it is.
    """

    status = 403

    def __init__(self, expected: str, caller: Identity) -> None:
        super().__init__(expected)
        self.caller = caller


class ScopeMissing(PolicyError):
    """The route asks for a scope that the token does not carry."""

    reason = "scope_missing"


class GroupMissing(PolicyError):
    """The route asks for a group that the caller is not in."""

    reason = "group_missing"


# --- our own side: 503 --------------------------------------------------------------------------


class Unavailable(SidecarError):
    """The sidecar cannot decide now; `retry_after_s` is when asking again makes sense."""

    status = 503

    def __init__(self, expected: str = "", retry_after_s: int = 1) -> None:
        super().__init__(expected)
        self.retry_after_s = retry_after_s


class KeysUnavailable(Unavailable):
    """No usable key set: a good token could not be told from a bad one."""

    reason = "keys_unavailable"


class RevocationUnknown(Unavailable):
    """Cognito does not say whether the token was revoked, and the settings want to know."""

    reason = "revocation_unknown"


class Overloaded(Unavailable):
    """A limit of connections or requests in flight is reached."""

    reason = "overloaded"


# --- the request: 4xx, 5xx ----------------------------------------------------------------------


class RequestError(SidecarError):
    """The request itself is refused, whoever sent it."""

    status = 400
    reason = "request_malformed"


class MultipleTokens(RequestError):
    """More than one `Authorization` field: never "the first one wins"."""

    reason = "multiple_tokens"


class RequestMalformed(RequestError):
    """The bytes are not a request that can be read in exactly one way."""


class HeaderInvalid(RequestError):
    """A field that may not be sent, or not in this shape."""

    reason = "header_invalid"


class TargetAmbiguous(RequestError):
    """The target can be read as more than one path."""

    reason = "target_ambiguous"


class MethodNotAllowed(RequestError):
    """A method that is never forwarded."""

    status = 405


class ExpectationFailed(RequestError):
    """`Expect` asks for anything but 100-continue."""

    status = 417


class NotImplementedHere(RequestError):
    """A transfer coding or method that this proxy does not carry."""

    status = 501


class VersionNotSupported(RequestError):
    """Not HTTP/1.0 or HTTP/1.1."""

    status = 505


class BodyTooLarge(RequestError):
    """The body exceeds the configured limit."""

    status = 413
    reason = "too_large"


class TargetTooLarge(RequestError):
    """The request target exceeds its limit."""

    status = 414
    reason = "too_large"


class FieldsTooLarge(RequestError):
    """One field, or all of them together, exceed their limit."""

    status = 431
    reason = "too_large"


class RequestTimeout(RequestError):
    """The client took too long to send its request."""

    status = 408
    reason = "timeout"


# --- the backend: 502, 504 ----------------------------------------------------------------------


class UpstreamError(SidecarError):
    """The backend gave no usable answer."""

    status = 502


class UpstreamUnreachable(UpstreamError):
    """No connection to the backend could be made."""

    reason = "upstream_unreachable"


class UpstreamTimeout(UpstreamError):
    """The backend took too long."""

    status = 504
    reason = "upstream_timeout"


class UpstreamBroken(UpstreamError):
    """The backend's answer broke off, or was not HTTP."""

    reason = "upstream_broken"


# --- ourselves: 500 -----------------------------------------------------------------------------


class InternalError(SidecarError):
    """A bug of ours. The client learns nothing but that."""

    reason = "internal_error"
    status = 500


# --- start-up -----------------------------------------------------------------------------------


class SettingsInvalid(Exception):
    """The settings cannot be used; `problems` lists everything that is wrong with them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class ListenFailed(Exception):
    """An address cannot be listened on; the message names it and says why."""


class WorkerFailed(Exception):
    """A worker process cannot start; the message says how it ended."""
