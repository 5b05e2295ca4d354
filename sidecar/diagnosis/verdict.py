"""What a request would get: which rule decides, and how. Pure."""

from dataclasses import dataclass

from sidecar.errors import SidecarError, TokenError
from sidecar.model import Anonymous, Caller, Identity
from sidecar.policy.routes import Route, RouteTable
from sidecar.policy.target import parse_target


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request.

    Attributes:
        method: Of the request.
        path: Its target.
        route: The rule that decides; empty if the target cannot be matched with any.
        mode: Of that rule.
        is_forwarded: Whether it reaches the backend.
        answer: In words.
    """

    method: str
    path: str
    route: str
    mode: str
    is_forwarded: bool
    answer: str


def judge(
    routes: RouteTable, method: str, path: str, outcome: Identity | SidecarError | None
) -> Verdict:
    """Say what a request would get.

    Args:
        routes: The rules.
        method: Of the request.
        path: Its target.
        outcome: What its token proves or why not; None if it presents none.
    """
    try:
        route = routes.match(method, parse_target(method, path))
    except SidecarError as error:
        return Verdict(method, path, "", "", is_forwarded=False, answer=_refused(error))
    mode = f"{route.mode.value}, report only" if route.report_only else route.mode.value
    try:
        caller = _caller(route, outcome)
        route.admit(caller)
    except SidecarError as error:
        return Verdict(method, path, route.label, mode, is_forwarded=False, answer=_refused(error))
    answer = _forwarded(caller, route.would_refuse(caller))
    return Verdict(method, path, route.label, mode, is_forwarded=True, answer=answer)


def _caller(route: Route, outcome: Identity | SidecarError | None) -> Caller:
    if outcome is None:
        return Anonymous()
    if isinstance(outcome, TokenError):
        return route.judge_refusal(outcome)
    if isinstance(outcome, SidecarError):
        raise outcome
    return outcome


def _refused(error: SidecarError) -> str:
    return f"{error.status} {error.reason}"


def _forwarded(caller: Caller, would_refuse: str) -> str:
    if isinstance(caller, Anonymous):
        because = f" ({caller.reason})" if caller.reason else ""
        said = f"forwarded, anonymous{because}"
    else:
        said = "forwarded with identity"
    return f"{said}; would be refused: {would_refuse}" if would_refuse else said
