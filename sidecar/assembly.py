"""Settings → the values that the rooms are built with. It starts nothing and opens nothing."""

from collections.abc import Mapping

from sidecar.cognito import issuer
from sidecar.config import ANY_CLIENT, PoolSettings, RouteSettings, Settings
from sidecar.identity.authenticator import Pool
from sidecar.identity.claims import ClaimRules
from sidecar.identity.keyset import KeySource
from sidecar.policy.routes import Mode, Route, RouteTable
from sidecar.proxy.gateway import Rules
from sidecar.proxy.hops import Hops
from sidecar.proxy.identification import Identification
from sidecar.proxy.limits import ClientLimits, ClientTimeouts
from sidecar.proxy.upstream_connection import UpstreamTimeouts


def make_rules(settings: Settings, identification: Identification) -> Rules:
    """Make what the gateway holds every request against."""
    return Rules(
        routes=make_routes(settings),
        owned=frozenset(name.lower().encode() for name in settings.headers),
        forward_token=settings.forward_token,
        cors_origins=frozenset(origin.encode() for origin in settings.cors_origins),
        hops=Hops(settings.trusted_proxies),
        max_requests=settings.limits.requests,
        max_fields_bytes=settings.limits.fields_bytes,
        websocket_expiry=settings.websocket_expiry,
        identification=identification,
    )


def make_routes(settings: Settings) -> RouteTable:
    """Make the table of the route rules."""
    return RouteTable([_route(route) for route in settings.routes], Mode(settings.mode))


def make_pools(settings: Settings, keys: Mapping[str, KeySource]) -> list[Pool]:
    """Make the pools that callers may come from.

    Args:
        settings: Say what their tokens must be like.
        keys: By pool id.
    """
    return [Pool(pool.id, _claim_rules(pool), keys[pool.id]) for pool in settings.all_pools]


def jwks_urls(settings: Settings) -> dict[str, str]:
    """Return by pool id where its keys are."""
    return {pool.id: pool.jwks_url or issuer.jwks_url(pool.id) for pool in settings.all_pools}


def cognito_endpoints(settings: Settings) -> dict[str, str]:
    """Return by pool id where Cognito's API is."""
    return {
        pool.id: settings.cognito_endpoint or issuer.api_url(pool.id) for pool in settings.all_pools
    }


def upstream_timeouts(settings: Settings) -> UpstreamTimeouts:
    """Return what the backend may take."""
    timeouts = settings.timeouts
    return UpstreamTimeouts(
        connect_s=timeouts.connect_s,
        head_s=timeouts.head_s,
        idle_body_s=timeouts.idle_body_s,
        keep_idle_s=timeouts.keep_idle_s,
        keep_s=timeouts.keep_s,
    )


def client_timeouts(settings: Settings) -> ClientTimeouts:
    """Return how long clients may take."""
    timeouts = settings.timeouts
    return ClientTimeouts(
        head_s=timeouts.client_head_s,
        body_idle_s=timeouts.client_body_idle_s,
        body_total_s=timeouts.client_body_total_s,
        write_s=timeouts.client_write_s,
        keep_alive_s=timeouts.client_keep_alive_s,
    )


def client_limits(settings: Settings) -> ClientLimits:
    """Return how much clients may send."""
    limits = settings.limits
    return ClientLimits(
        connections=limits.connections,
        requests=limits.requests,
        body_bytes=limits.body_bytes,
        field_bytes=limits.field_bytes,
        fields=limits.fields,
        message_bytes=limits.websocket_message_bytes,
    )


def _claim_rules(pool: PoolSettings) -> ClaimRules:
    return ClaimRules(
        issuers=pool.issuers,
        clients=None if ANY_CLIENT in pool.client_ids else frozenset(pool.client_ids),
        token_uses=frozenset(pool.token_use),
    )


def _route(route: RouteSettings) -> Route:
    methods = "|".join(sorted(route.methods))
    return Route(
        path=route.path,
        mode=Mode(route.mode),
        methods=frozenset(route.methods),
        groups=frozenset(route.groups),
        scopes=frozenset(route.scopes),
        report_only=route.report_only,
        label=f"{methods} {route.path}" if methods else route.path,
    )
