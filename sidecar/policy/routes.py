"""The rules table: method and target → what is asked of the caller. First match wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sidecar.errors import GroupMissing, ScopeMissing, TargetAmbiguous, TokenError, TokenMissing
from sidecar.model import Anonymous, Caller
from sidecar.policy.target import Target, is_ambiguous


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
        methods: The methods it is for; empty for all.
        groups: The caller must be in one of these; empty asks for none.
        scopes: The token must carry one of these; empty asks for none.
    """

    path: str
    mode: Mode
    methods: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    def matches(self, method: str, path: str) -> bool:
        """Tell whether this rule is the one for `method` on `path`."""
        if self.methods and method not in self.methods:
            return False
        if self.path.endswith("/*"):
            return path.startswith(self.path[:-1]) or path == self.path[:-2]
        return path == self.path

    def judge_refusal(self, error: TokenError) -> Anonymous:
        """Decide what a bad token means here: anonymous where the mode strips it.

        Raises:
            TokenError: The error itself, where the mode refuses bad tokens.
        """
        if self.mode is not Mode.STRIP:
            raise error
        return Anonymous(error.reason)

    def admit(self, caller: Caller) -> None:
        """Let the caller pass, or say what is missing.

        Raises:
            TokenMissing: The rule requires a token.
            GroupMissing: The caller is in none of the groups.
            ScopeMissing: The token carries none of the scopes.
        """
        if isinstance(caller, Anonymous):
            if self.mode is Mode.REQUIRE:
                raise TokenMissing("a bearer token")
            return
        if self.mode is not Mode.REQUIRE:
            return
        if self.groups and self.groups.isdisjoint(caller.groups):
            raise GroupMissing("one of the groups of this route")
        if self.scopes and self.scopes.isdisjoint(caller.scopes):
            raise ScopeMissing("one of the scopes of this route")


class RouteTable:
    """The rules of one configuration and the default for the rest."""

    def __init__(self, routes: Sequence[Route], default_mode: Mode) -> None:
        self._routes = tuple(routes)
        self._default = Route("/*", default_mode)

    def match(self, method: str, target: Target) -> Route:
        """Find the rule for a request.

        Raises:
            TargetAmbiguous: There are rules about paths, and the target can be read as more than
                one path.
        """
        if self._routes and is_ambiguous(target.path):
            raise TargetAmbiguous("a path in its normal spelling")
        for route in self._routes:
            if route.matches(method, target.path):
                return route
        return self._default
