"""Who is calling: the fields of a request → an identity, or anonymous, or a refusal.

It strings together what other rooms decide, and fetches what they lack to decide it. The wall clock
is read here and nowhere else.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sidecar.errors import KeyUnknown, TokenError
from sidecar.identity.authenticator import Authenticator
from sidecar.identity.credentials import bearer_token
from sidecar.model import Anonymous, BearerToken, Caller, Identity, RequestRecord
from sidecar.policy.routes import Route, RouteTable
from sidecar.policy.target import Target
from sidecar.proxy.headers import ClientFields


class KeySeeker(Protocol):
    """Fetches a pool's keys anew for a `kid` that is not among them; see `cognito.jwks`."""

    async def seek(self, kid: str) -> None:
        """Return when looking again is worth while; raises KeysUnavailable otherwise."""
        ...


class RevocationChecker(Protocol):
    """Knows of tokens that no longer count though they verify; see `cognito.revocation`."""

    async def confirm(self, token: BearerToken, identity: Identity) -> None:
        """Return if the token counts; raises TokenRevoked or RevocationUnknown otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class Identification:
    """How callers are identified.

    Attributes:
        authenticator: Token to identity.
        seekers: By pool id, who fetches keys anew.
        revocation: Who is asked about tokens that verify; None asks nobody.
    """

    authenticator: Authenticator
    seekers: Mapping[str, KeySeeker]
    revocation: RevocationChecker | None = None

    async def decide(
        self, routes: RouteTable, target: Target, fields: ClientFields, record: RequestRecord
    ) -> Caller:
        """Find the rule for a request and who sends it; note both in its record.

        Args:
            routes: What is asked of callers.
            target: Of the request.
            fields: From `headers.strip`.
            record: Of the request, with its method.

        Raises:
            TargetAmbiguous: There are rules about paths, and the target can be read in two ways.
            SidecarError: As `identify`.
        """
        record.path = target.path
        route = routes.match(record.method, target)
        record.route = route.label
        caller = await self.identify(record.method, fields, route)
        record.caller = caller
        if route.report_only and not (record.method == "OPTIONS" and _is_preflight(fields)):
            record.would_refuse = route.would_refuse(caller)
        return caller

    async def identify(self, method: str, fields: ClientFields, route: Route) -> Caller:
        """Find out who sends a request, and whether its route lets them.

        Args:
            method: Of the request.
            fields: From `headers.strip`.
            route: The rule for it.

        Raises:
            MultipleTokens: There are two `Authorization` fields.
            TokenError: The token is bad, or missing, and the route refuses that.
            PolicyError: The caller lacks what the route asks for.
            Unavailable: Nobody can tell now whether the token is good.
        """
        is_anonymous = method == "OPTIONS" and _is_preflight(fields)
        caller: Caller = _ANONYMOUS
        try:
            token = bearer_token(fields.values(b"authorization"))
            if token is not None and not is_anonymous:
                try:
                    caller = self.authenticator.authenticate(token, time.time())
                except KeyUnknown as unknown:
                    await self.seekers[unknown.pool_id].seek(unknown.kid)
                    caller = self.authenticator.authenticate(token, time.time())
                if self.revocation is not None:
                    await self.revocation.confirm(token, caller)
        except TokenError as error:
            caller = _ANONYMOUS if is_anonymous else route.judge_refusal(error)
        if not is_anonymous:
            route.admit(caller)
        return caller

    def time_left_s(self, caller: Caller) -> float | None:
        """Return how long the token holds that proved the caller; None for an anonymous one."""
        if isinstance(caller, Anonymous):
            return None
        return max(0.0, caller.expires_at - time.time())


_ANONYMOUS = Anonymous()


def _is_preflight(fields: ClientFields) -> bool:
    """Tell a CORS preflight, which browsers send without credentials (Fetch standard)."""
    return fields.has_kept(b"origin") and fields.has_kept(b"access-control-request-method")
