"""The rules table: method and target → what is asked of the caller. First match wins.

Compiled once: finding the rule takes as many steps as the deepest rule has segments, however many
rules there are and however long the target is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sidecar.errors import (
    GroupMissing,
    ScopeMissing,
    TargetAmbiguous,
    TokenError,
    TokenMissing,
)
from sidecar.model import Anonymous, Caller
from sidecar.policy.target import Target, is_ambiguous

PREFIX_END = "/*"
"""The end of a rule's path that makes it a prefix: `/api/*` is `/api` and all below it."""

DEFAULT_LABEL = "default"
"""Stands in logs and metrics for the requests that no rule matches."""


class Mode(Enum):
    """What happens without a good token (the table of DESIGN §4)."""

    STRIP = "strip"
    OPTIONAL = "optional"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Route:
    """One rule.

    Attributes:
        path: A path to match exactly, or a prefix ending in `/*`.
        mode: What happens without a good token.
        methods: The methods it is for; empty for all. GET includes HEAD, which is GET without the
            body (RFC 9110 §9.3.2), and must not be a way round a rule.
        groups: The caller must be in one of these; empty asks for none.
        scopes: The token must carry one of these; empty asks for none.
        report_only: Nobody is refused; what would have been is counted and logged.
        label: Names the rule in logs and metrics.
    """

    path: str
    mode: Mode
    methods: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    report_only: bool = False
    label: str = ""

    def judge_refusal(self, error: TokenError) -> Anonymous:
        """Decide what a bad token means here: anonymous where the mode strips it.

        Raises:
            TokenError: The error itself, where the mode refuses bad tokens.
        """
        if self.mode is not Mode.STRIP and not self.report_only:
            try:
                raise error
            finally:
                # An error and a frame that hold each other wait for the collector, 40 objects each.
                del error
        return Anonymous(error.reason, error.kid, error.pool_id)

    def admit(self, caller: Caller) -> None:
        """Let the caller pass, or say what is missing. A rule that only reports lets all pass.

        Raises:
            TokenMissing: The rule requires a token.
            GroupMissing: The caller is in none of the groups.
            ScopeMissing: The token carries none of the scopes.
        """
        if self.mode is Mode.REQUIRE and not self.report_only:
            self._require(caller)

    def would_refuse(self, caller: Caller) -> str:
        """Return the reason for which a rule that only reports would refuse; empty if it would not.

        Args:
            caller: Whom the request is forwarded for, with the reason why a token did not count.
        """
        if not self.report_only or self.mode is Mode.STRIP:
            return ""
        if isinstance(caller, Anonymous) and caller.reason:
            return caller.reason
        if self.mode is Mode.REQUIRE:
            try:
                self._require(caller)
            except (TokenMissing, GroupMissing, ScopeMissing) as error:
                return error.reason
        return ""

    def _require(self, caller: Caller) -> None:
        if isinstance(caller, Anonymous):
            raise TokenMissing("a bearer token")
        if self.groups and self.groups.isdisjoint(caller.groups):
            raise GroupMissing("one of the groups of this route", caller)
        if self.scopes and self.scopes.isdisjoint(caller.scopes):
            raise ScopeMissing("one of the scopes of this route", caller)


class RouteTable:
    """The rules of one configuration and the default for the rest, ready to be looked up.

    A class because compiling is done once and the result is used for every request.
    """

    def __init__(self, routes: Sequence[Route], default_mode: Mode) -> None:
        self.routes = tuple(routes)
        self.default = Route("/*", default_mode, label=DEFAULT_LABEL)
        self._exact: dict[str, _Methods] = {}
        self._prefix: dict[str, _Methods] = {}
        for index, route in enumerate(self.routes):
            is_prefix = route.path.endswith(PREFIX_END)
            table = self._prefix if is_prefix else self._exact
            path = route.path.removesuffix(PREFIX_END) if is_prefix else route.path
            table.setdefault(path, _Methods()).add(index, route)
        self._max_depth = max((prefix.count("/") for prefix in self._prefix), default=0)

    def match(self, method: str, target: Target) -> Route:
        """Find the rule for a request.

        Raises:
            TargetAmbiguous: There are rules about paths, and the target can be read as more than
                one path.
        """
        if not self.routes or target.path == "*":  # which asks about the server, not about a path
            return self.default
        if is_ambiguous(target.path):
            raise TargetAmbiguous("a path in its normal spelling")
        index, route = _LAST, self.default
        for methods in self._candidates(target.path):
            found = methods.find(method)
            if found is not None and found[0] < index:
                index, route = found
        return route

    def _candidates(self, path: str) -> Iterable["_Methods"]:
        if (exact := self._exact.get(path)) is not None:
            yield exact
        # The ancestors of the path, from the root down: "", "/api", "/api/v1", at most as deep as
        # any rule, so that a target of 4000 segments costs no more than one of four.
        end = 0
        for _ in range(self._max_depth + 1):
            if (prefix := self._prefix.get(path[:end])) is not None:
                yield prefix
            if end == len(path):
                return
            end = path.find("/", end + 1)
            if end < 0:
                end = len(path)


_Indexed = tuple[int, Route]

_LAST = 1 << 30  # behind every rule


@dataclass(slots=True)
class _Methods:
    """The rules of one path: for each method the first one, and the first one for all methods."""

    by_method: dict[str, _Indexed] = field(default_factory=dict)
    for_all: _Indexed | None = None

    def add(self, index: int, route: Route) -> None:
        """Add a rule; rules come in their order."""
        if not route.methods:
            self.for_all = self.for_all or (index, route)
            return
        methods = route.methods | {"HEAD"} if "GET" in route.methods else route.methods
        for method in methods:
            self.by_method.setdefault(method, (index, route))

    def find(self, method: str) -> _Indexed | None:
        """Find the first rule for a method."""
        named = self.by_method.get(method)
        if named is None or (self.for_all is not None and self.for_all[0] < named[0]):
            return self.for_all
        return named
