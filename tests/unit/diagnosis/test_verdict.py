"""What a request would get, by the rules that decide about it."""

import pytest

from sidecar.diagnosis.verdict import judge
from sidecar.errors import KeysUnavailable, SidecarError, TokenExpired
from sidecar.model import Identity
from sidecar.policy.routes import Mode, Route, RouteTable

IDENTITY = Identity((), frozenset({"staff"}), frozenset(), "access", "pool", "kid", 1.0)
EXPIRED = TokenExpired("exp after now")
TABLE = RouteTable(
    [
        Route("/admin/*", Mode.REQUIRE, groups=frozenset({"admin"}), label="/admin/*"),
        Route("/trial/*", Mode.REQUIRE, report_only=True, label="/trial/*"),
        Route("/any/*", Mode.OPTIONAL, label="/any/*"),
    ],
    Mode.STRIP,
)


@pytest.mark.parametrize(
    ("path", "outcome", "is_forwarded", "answer"),
    [
        ("/admin/x", None, False, "401 token_missing"),
        ("/admin/x", IDENTITY, False, "403 group_missing"),
        ("/admin/x", EXPIRED, False, "401 token_expired"),
        ("/any/x", None, True, "forwarded, anonymous"),
        ("/any/x", IDENTITY, True, "forwarded with identity"),
        ("/any/x", EXPIRED, False, "401 token_expired"),
        ("/x", EXPIRED, True, "forwarded, anonymous (token_expired)"),
        ("/x", KeysUnavailable(), False, "503 keys_unavailable"),
        ("/trial/x", None, True, "forwarded, anonymous; would be refused: token_missing"),
        ("/a//b", IDENTITY, False, "400 target_ambiguous"),
        ("nonsense", None, False, "400 request_malformed"),
    ],
)
def test_verdict_is_what_the_request_would_get(
    path: str, outcome: Identity | SidecarError | None, *, is_forwarded: bool, answer: str
) -> None:
    """Rule, mode and token decide as they do for a request."""
    verdict = judge(TABLE, "GET", path, outcome)
    assert (verdict.is_forwarded, verdict.answer) == (is_forwarded, answer)
