"""Which rule a request finds, and what that rule asks."""

from typing import Any

import pytest

from sidecar.errors import (
    GroupMissing,
    KeyUnknown,
    ScopeMissing,
    TargetAmbiguous,
    TokenExpired,
    TokenMissing,
)
from sidecar.model import Anonymous, Identity
from sidecar.policy.routes import Mode, Route, RouteTable
from sidecar.policy.target import Target
from tests.support.cost import calls_of

POOL = "eu-west-1_x"


def identity(groups: tuple[str, ...] = (), scopes: tuple[str, ...] = ()) -> Identity:
    """Make a proven caller."""
    return Identity((), frozenset(groups), frozenset(scopes), "access", POOL, "kid", 1.0)


def rule(path: str, *methods: str, mode: Mode = Mode.REQUIRE, **changes: Any) -> Route:
    """Make a rule, named after its path and methods."""
    label = f"{','.join(methods)} {path}".strip()
    return Route(path, mode, frozenset(methods), label=label, **changes)


def find(table: RouteTable, path: str, method: str = "GET") -> str:
    """Return the label of the rule that a request finds."""
    return table.match(method, Target(path, path)).label


TABLE = RouteTable(
    [
        rule("/api/health", mode=Mode.STRIP),
        rule("/api/admin/*", "POST", "PUT"),
        rule("/api/*", "GET"),
        rule("/api/admin/*"),
        rule("/exact"),
    ],
    Mode.OPTIONAL,
)


@pytest.mark.parametrize(
    ("method", "path", "label"),
    [
        ("GET", "/api/health", "/api/health"),
        ("POST", "/api/admin/users", "POST,PUT /api/admin/*"),
        ("PUT", "/api/admin", "POST,PUT /api/admin/*"),
        ("GET", "/api/admin/users", "GET /api/*"),
        ("DELETE", "/api/admin/users", "/api/admin/*"),
        ("DELETE", "/api/other", "default"),
        ("GET", "/api", "GET /api/*"),
        ("GET", "/api/", "GET /api/*"),
        ("GET", "/apis", "default"),
        ("GET", "/API/x", "default"),
        ("GET", "/exact", "/exact"),
        ("GET", "/exact/", "default"),
        ("GET", "/exact/below", "default"),
        ("GET", "/", "default"),
    ],
)
def test_first_rule_that_fits_decides(method: str, path: str, label: str) -> None:
    """Rules are tried in their order; what none fits gets the default."""
    assert find(TABLE, path, method) == label


def test_head_is_held_to_the_rule_for_get() -> None:
    """HEAD reveals what GET reveals, and must not be a way round its rule."""
    assert find(TABLE, "/api/orders", "HEAD") == "GET /api/*"


def test_rule_for_everything_matches_every_path() -> None:
    """`/*` is the root and all below it."""
    table = RouteTable([rule("/*")], Mode.STRIP)
    assert {find(table, path) for path in ("/", "/a", "/a/b/c/d")} == {"/*"}


@pytest.mark.parametrize("path", ["//admin", "/a/../admin", "/%61dmin", "/admin;x", "/admin./x"])
def test_ambiguous_target_is_refused_where_there_are_rules(path: str) -> None:
    """A path that a server may read as another one never meets a rule, be it a lenient one."""
    with pytest.raises(TargetAmbiguous):
        find(RouteTable([rule("/*", mode=Mode.STRIP)], Mode.STRIP), path)


def test_ambiguous_target_passes_where_there_are_no_rules() -> None:
    """Without rules about paths it makes no difference how a path is read."""
    assert find(RouteTable([], Mode.REQUIRE), "//admin") == "default"


@pytest.mark.parametrize("path", ["/r199/a", "/none", "/" + "/".join("a" * 4000)])
def test_lookup_among_200_rules_costs_as_much_as_among_two(path: str) -> None:
    """The cost of a lookup depends neither on the number of rules nor on a hostile path."""
    few, many = (
        RouteTable([rule(f"/r{n}/*", "GET", "POST") for n in range(count)], Mode.STRIP)
        for count in (2, 200)
    )
    target = Target(path, path)
    # One more of the rules may fit, and is looked into.
    in_many, in_few = (calls_of(lambda: table.match("GET", target)) for table in (many, few))  # noqa: B023 - called at once
    assert in_many <= in_few + 3


def test_bad_token_is_refused_or_stripped_by_mode() -> None:
    """Only `strip` takes a bad token for none."""
    error = TokenExpired("exp after now")
    for mode in (Mode.OPTIONAL, Mode.REQUIRE):
        with pytest.raises(TokenExpired):
            rule("/a", mode=mode).judge_refusal(error)
    assert rule("/a", mode=Mode.STRIP).judge_refusal(error) == Anonymous("token_expired")


def test_stripped_token_leaves_its_key_and_pool_for_the_log() -> None:
    """Whoever asks why a caller was anonymous finds which key the token named."""
    anonymous = rule("/a", mode=Mode.STRIP).judge_refusal(KeyUnknown("kid-1", POOL))
    assert anonymous == Anonymous("key_unknown", "kid-1", POOL)


def test_rule_that_requires_refuses_whoever_does_not_fit() -> None:
    """No token, no group, no scope: each has its own reason."""
    with pytest.raises(TokenMissing):
        rule("/a").admit(Anonymous())
    with pytest.raises(GroupMissing):
        rule("/a", groups=frozenset({"admin"})).admit(identity(groups=("staff",)))
    with pytest.raises(ScopeMissing):
        rule("/a", scopes=frozenset({"orders/write"})).admit(identity(scopes=("orders/read",)))


def test_refusal_by_a_rule_says_whom_it_refused() -> None:
    """For the log and for `X-Cognito-Auth`, which tell a known caller from an unknown one."""
    caller = identity()
    with pytest.raises(GroupMissing) as caught:
        rule("/a", groups=frozenset({"admin"})).admit(caller)
    assert caught.value.caller is caller


def test_rule_that_requires_admits_whoever_fits() -> None:
    """One of the groups and one of the scopes suffice."""
    both = rule("/a", groups=frozenset({"admin", "staff"}), scopes=frozenset({"w", "r"}))
    both.admit(identity(groups=("staff",), scopes=("r",)))
    rule("/a").admit(identity())


@pytest.mark.parametrize("mode", [Mode.STRIP, Mode.OPTIONAL])
def test_lenient_rule_admits_anonymous(mode: Mode) -> None:
    """Only `require` asks for a caller."""
    rule("/a", mode=mode).admit(Anonymous())


def test_reporting_rule_refuses_nobody() -> None:
    """What a rule would do can be seen before it does it."""
    report = rule("/a", report_only=True, groups=frozenset({"admin"}))
    report.admit(Anonymous())
    report.admit(identity())
    assert report.judge_refusal(TokenExpired("exp")) == Anonymous("token_expired")


@pytest.mark.parametrize(
    ("mode", "caller", "reason"),
    [
        (Mode.REQUIRE, Anonymous(), "token_missing"),
        (Mode.REQUIRE, Anonymous("token_expired"), "token_expired"),
        (Mode.REQUIRE, identity(), "group_missing"),
        (Mode.REQUIRE, identity(groups=("admin",)), "scope_missing"),
        (Mode.REQUIRE, identity(groups=("admin",), scopes=("w",)), ""),
        (Mode.OPTIONAL, Anonymous(), ""),
        (Mode.OPTIONAL, Anonymous("token_expired"), "token_expired"),
        (Mode.STRIP, Anonymous("token_expired"), ""),
    ],
)
def test_reporting_rule_says_what_it_would_refuse(
    mode: Mode, caller: Anonymous | Identity, reason: str
) -> None:
    """The reason is the one that the refusal would have."""
    groups, scopes = frozenset({"admin"}), frozenset({"w"})
    strict = mode is Mode.REQUIRE
    report = rule(
        "/a",
        mode=mode,
        report_only=True,
        groups=groups if strict else frozenset(),
        scopes=scopes if strict else frozenset(),
    )
    assert report.would_refuse(caller) == reason


def test_rule_that_refuses_reports_nothing() -> None:
    """A refusal is counted as one, not as a report."""
    assert rule("/a").would_refuse(Anonymous()) == ""
