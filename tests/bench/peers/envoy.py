"""Envoy's filter `jwt_authn`: as documented, and with its cache of verified tokens.

The cache holds 100 tokens by default; it is given as many as the sidecar's. `audiences` is not set:
Cognito's access tokens have no `aud`, and the filter has no word for `client_id`.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.bench.peers.peer import Peer, Setup
from tests.bench.processes import Command
from tests.bench.programs import path_of
from tests.support import mint

_TYPE = "type.googleapis.com/envoy.extensions"
_FIELDS = (("X-Cognito-Sub", "sub"), ("X-Cognito-Username", "username"))


def _command(cache: dict[str, Any]) -> Callable[[Setup], Command]:
    def command(setup: Setup) -> Command:
        file = setup.folder / "envoy.json"
        file.write_text(json.dumps(_configuration(setup, cache), indent=1))
        one_thread = ("--concurrency", "1")
        quiet = ("--log-level", "error")
        alone = ("--use-dynamic-base-id",)  # several on one machine
        return Command((path_of("envoy"), "-c", str(file), *one_thread, *quiet, *alone))

    return command


def _configuration(setup: Setup, cache: dict[str, Any]) -> dict[str, Any]:
    manager = {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "public",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": [_verify(setup, cache), _filter("router.v3.Router", "router", {})],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "backend",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "backend"}}],
                }
            ]
        },
    }
    listener = {
        "address": _address(f"127.0.0.1:{setup.port}"),
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }
    endpoint = {"endpoint": {"address": _address(setup.upstream)}}
    cluster = {
        "name": "backend",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "backend",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _verify(setup: Setup, cache: dict[str, Any]) -> dict[str, Any]:
    provider = {
        "issuer": mint.ISSUER,
        "local_jwks": {"filename": str(setup.keys.jwks)},
        "forward": True,
        "claim_to_headers": [{"header_name": name, "claim_name": claim} for name, claim in _FIELDS],
        **cache,
    }
    either = {"requirements": [{"provider_name": "cognito"}, {"allow_missing": {}}]}
    rule = {"match": {"prefix": "/"}, "requires": {"requires_any": either}}
    settings = {"providers": {"cognito": provider}, "rules": [rule]}
    return _filter("jwt_authn.v3.JwtAuthentication", "jwt_authn", settings)


def _filter(kind: str, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    typed = {"@type": f"{_TYPE}.filters.http.{kind}", **settings}
    return {"name": f"envoy.filters.http.{name}", "typed_config": typed}


def _address(text: str) -> dict[str, Any]:
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _version() -> tuple[str, ...]:
    return (path_of("envoy"), "--version")


ENVOY = Peer("Envoy", "envoy", _command({}), _version)
ENVOY_CACHE = Peer(
    "Envoy + cache",
    "envoy",
    _command({"jwt_cache_config": {"jwt_cache_size": 10_000}}),
    _version,
)
