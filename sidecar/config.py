"""Every setting, in one place; the only reader of the environment and of the TOML file.

Command line, environment, TOML file, default: the first that names a setting wins. Everything that
is wrong is found before anything starts.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from sidecar.bounds import LimitSettings, Table, TimeoutSettings
from sidecar.cognito.issuer import issuers, region_of
from sidecar.errors import SettingsInvalid
from sidecar.model import Address
from sidecar.setting_values import (
    check_field_names,
    check_origin,
    check_rule_path,
    is_loopback,
    parse_address,
    parse_upstream,
    parse_workers,
    split_list,
)

_AWS_NAMES = {
    "user_pool_id": "AWS_COGNITO_USER_POOL_ID",
    "user_pool_client_id": "AWS_COGNITO_USER_POOL_CLIENT_ID",
}
_PREFIX = "SIDECAR_"
_FILE_ONLY = frozenset({"pools", "routes", "headers", "forward_token", "timeouts", "limits"})

# What a file with `[[pools]]` says for each pool, and must not be said for all of them as well.
_SINGLE_POOL = ("user_pool_id", "user_pool_client_id", "issuer", "jwks_url")

RELOADABLE = frozenset(
    {
        *_SINGLE_POOL,
        *("pools", "token_use", "insecure_jwks", "mode", "routes", "headers", "forward_token"),
        *("cors_origins", "trusted_proxies", "websocket_expiry"),
    }
)
"""Settings that SIGHUP changes in a running sidecar; the others take a new start."""
_FIELD_NAME = r"^[A-Za-z0-9!#$%&'*+.^`|~-]+$"  # a token of RFC 9110 without `_`, which WSGI folds

_TRACES_ASKED = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)

ANY_CLIENT = "*"
"""Accept every app client of the pool: a check is skipped only when someone says so."""


Texts = Annotated[tuple[str, ...], BeforeValidator(split_list)]
ListenAddress = Annotated[Address, BeforeValidator(parse_address)]
UpstreamAddress = Annotated[Address, BeforeValidator(parse_upstream)]
TokenUses = Annotated[tuple[Literal["access", "id"], ...], BeforeValidator(split_list)]
Workers = Annotated[int | Literal["auto"], BeforeValidator(parse_workers)]
Origin = Annotated[str, AfterValidator(check_origin)]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(ip_network)]


def _check_pool_id(pool_id: str) -> str:
    region_of(pool_id)
    return pool_id


def _check_client_ids(client_ids: tuple[str, ...]) -> tuple[str, ...]:
    if not client_ids or (ANY_CLIENT in client_ids and len(client_ids) > 1):
        msg = "expected app client ids separated by commas, or * alone"
        raise ValueError(msg)
    return client_ids


class ModeName(StrEnum):
    """The modes of DESIGN §4."""

    STRIP = "strip"
    OPTIONAL = "optional"
    REQUIRE = "require"


class RouteSettings(Table):
    """One `[[routes]]` entry; first match wins."""

    path: Annotated[str, AfterValidator(check_rule_path)]
    methods: tuple[Method, ...] = ()
    mode: ModeName
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    report_only: bool = False

    @model_validator(mode="after")
    def _conditions_need_require(self) -> Self:
        if (self.groups or self.scopes) and self.mode is not ModeName.REQUIRE:
            msg = 'groups and scopes need mode = "require"'
            raise ValueError(msg)
        return self


class PoolSettings(Table):
    """One `[[pools]]` entry: a user pool and what its tokens must say."""

    id: Annotated[str, AfterValidator(_check_pool_id)]
    client_ids: Annotated[Texts, AfterValidator(_check_client_ids)]
    token_use: TokenUses = Field(default=(), description="as SIDECAR_TOKEN_USE, if absent")
    issuer: Texts = ()
    jwks_url: str | None = None

    @property
    def issuers(self) -> frozenset[str]:
        """The accepted `iss` values."""
        return frozenset(self.issuer) or issuers(self.id)


class Settings(Table):
    """All settings, validated. Names are those of the TOML file; the environment adds a prefix."""

    user_pool_id: Texts = Field(default=(), description="user pools that callers may come from")
    user_pool_client_id: Texts = Field(
        default=(), description="accepted app clients; * accepts all of the pool"
    )
    upstream: UpstreamAddress = Field(
        default=Address("127.0.0.1", 4567), description="the backend; unix:/path.sock too"
    )
    listen: ListenAddress = Field(
        default=Address("0.0.0.0", 8080),  # noqa: S104 - the port that is meant to be public
        description="the public port; unix:/path.sock too",
    )
    admin_listen: ListenAddress = Field(
        default=Address("127.0.0.1", 8081),
        description="health, metrics, admin page; never the public port",
    )
    verify_listen: ListenAddress | None = Field(
        default=None,
        description="where other proxies may ask for the decision alone, at /verify; off if unset",
    )
    mode: ModeName = Field(
        default=ModeName.STRIP,
        description="for requests no route rule matches: strip, optional or require",
    )
    token_use: TokenUses = Field(
        default=("access",), min_length=1, description="accepted kinds: access, id, or both"
    )
    jwks_url: str | None = Field(default=None, description="keys from elsewhere than the pool")
    insecure_jwks: bool = Field(
        default=False, description="allow SIDECAR_JWKS_URL over http to other hosts than loopback"
    )
    issuer: Texts = Field(default=(), description="accepted iss values instead of the derived ones")
    revocation_check_s: float = Field(
        default=0,
        ge=0,
        description="ask Cognito whether an access token was revoked, and believe the answer for "
        "so many seconds; 0 never asks",
    )
    cognito_endpoint: str | None = Field(
        default=None, description="Cognito's API elsewhere than in the pool's region"
    )
    cors_origins: Annotated[tuple[Origin, ...], BeforeValidator(split_list)] = Field(
        default=(), description="origins whose browsers may read the sidecar's own refusals"
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(split_list)] = Field(
        default=(), description="CIDRs whose X-Forwarded-* are believed and extended"
    )
    workers: Workers = Field(
        default=1, description="processes that share the port; auto: one for each usable core"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json, text for people, or auto: text on a terminal, else json"
    )
    log_sample: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="share of the requests below status 400 without a reason that is logged",
    )
    config: Path | None = Field(default=None, description="TOML file with any of these settings")
    pools: tuple[PoolSettings, ...] = Field(
        default=(), description="user pools, each with clients of its own"
    )
    routes: tuple[RouteSettings, ...] = Field(default=(), description="rules, first match wins")
    headers: dict[Annotated[str, Field(pattern=_FIELD_NAME)], str] = Field(
        default={"X-Cognito-Sub": "sub", "X-Cognito-Username": "username"},
        description="header = claim; each is also stripped from every incoming request",
        min_length=1,
    )
    forward_token: bool = Field(
        default=True, description="whether the backend may see a token that proved its caller"
    )
    websocket_expiry: bool = Field(
        default=True,
        description="whether a WebSocket is closed with 4401 when the token that opened it expires",
    )
    timeouts: TimeoutSettings = Field(default=TimeoutSettings(), description="in seconds")
    limits: LimitSettings = Field(default=LimitSettings(), description="how much, how many")

    @field_validator("user_pool_id")
    @classmethod
    def _pool_ids(cls, pool_ids: tuple[str, ...]) -> tuple[str, ...]:
        for pool_id in pool_ids:
            region_of(pool_id)
        if not pool_ids or len(set(pool_ids)) < len(pool_ids):
            msg = "expected at least one user pool id, each once"
            raise ValueError(msg)
        return pool_ids

    @field_validator("user_pool_client_id")
    @classmethod
    def _client_ids(cls, client_ids: tuple[str, ...]) -> tuple[str, ...]:
        return _check_client_ids(client_ids)

    @field_validator("headers")
    @classmethod
    def _field_names(cls, headers: dict[str, str]) -> dict[str, str]:
        check_field_names(list(headers))
        return headers

    @model_validator(mode="after")
    def _pools_differ(self) -> Self:
        accepted: set[str] = set()
        for pool in self.all_pools:
            if not accepted.isdisjoint(pool.issuers):
                msg = f"{self._name_of('issuer')}: expected pools without a common issuer"
                raise ValueError(msg)
            accepted |= pool.issuers
        return self

    @model_validator(mode="after")
    def _keys_come_safely(self) -> Self:
        for pool in self.all_pools:
            if pool.jwks_url is not None:
                name = self._name_of("jwks_url")
                _check_jwks_url(name, pool.jwks_url, is_insecure_allowed=self.insecure_jwks)
        return self

    @property
    def all_pools(self) -> tuple[PoolSettings, ...]:
        """The pools, however they were given, each with its token uses."""
        if self.pools:
            return tuple(
                pool if pool.token_use else pool.model_copy(update={"token_use": self.token_use})
                for pool in self.pools
            )
        return tuple(
            PoolSettings(
                id=pool_id,
                client_ids=self.user_pool_client_id,
                token_use=self.token_use,
                issuer=self.issuer,
                jwks_url=self.jwks_url,
            )
            for pool_id in self.user_pool_id
        )

    def _name_of(self, setting: str) -> str:
        return f"pools.{setting}" if self.pools else environment_name(setting)


def environment_name(setting: str) -> str:
    """Return the environment variable of a setting."""
    return _AWS_NAMES.get(setting, _PREFIX + setting.upper())


def load(arguments: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Settings:
    """Gather and validate the settings.

    Args:
        arguments: From the command line, by setting name.
        environment: Variables; those of the process if None.

    Raises:
        SettingsInvalid: Lists everything that is wrong, each with the name to change.
    """
    environment = os.environ if environment is None else environment
    problems = _unknown_names(environment)
    given = {**_from_environment(environment), **arguments}
    values = {**_from_file(given.get("config"), problems), **given}
    problems += _pool_problems(values)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += [_describe(problem) for problem in error.errors()]
        raise SettingsInvalid(problems) from error
    if problems:
        raise SettingsInvalid(problems)
    return settings


def _check_jwks_url(name: str, url: str, *, is_insecure_allowed: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        msg = f"{name}: expected an http or https URL without user information"
        raise ValueError(msg)
    if parts.scheme == "http" and not is_insecure_allowed and not is_loopback(parts.hostname):
        msg = (
            f"{name}: expected https, for whoever can change the keys can sign tokens; "
            "http is for loopback, or with SIDECAR_INSECURE_JWKS=1"
        )
        raise ValueError(msg)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {environment_name(setting): setting for setting in Settings.model_fields}
    return {
        names[name]: value
        for name, value in environment.items()
        if name in names and names[name] not in _FILE_ONLY and value != ""
    }


def _from_file(path: str | None, problems: list[str]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"SIDECAR_CONFIG: cannot read the file: {error.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"SIDECAR_CONFIG: not a TOML file: {error}")
        return {}
    if "config" in values:
        problems.append("config: a settings file cannot name another")
        del values["config"]
    return values


def _pool_problems(values: Mapping[str, object]) -> list[str]:
    """Say what is missing or given twice; pydantic knows each setting by itself alone."""
    if "pools" in values:
        return [
            f"{environment_name(name)}: expected in each of the [[pools]], or [[pools]] not at all"
            for name in _SINGLE_POOL
            if name in values
        ]
    return [
        f"{environment_name(name)}: required; {Settings.model_fields[name].description}"
        for name in ("user_pool_id", "user_pool_client_id")
        if name not in values
    ]


def _unknown_names(environment: Mapping[str, str]) -> list[str]:
    known = [environment_name(s) for s in Settings.model_fields if s not in _FILE_ONLY]
    problems = []
    for name in sorted(environment):
        if name.startswith(_PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            problems.append(f"{name}: no such setting{hint}")
    return problems


def _describe(problem: ErrorDetails) -> str:
    location, message = problem["loc"], problem["msg"].removeprefix("Value error, ")
    if not location:
        return message
    name = environment_name(str(location[0]))
    if location[0] in _FILE_ONLY or location[0] not in Settings.model_fields:
        name = ".".join(str(part) for part in location)
    if problem["type"] == "missing":
        return f"{name}: required"
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, Settings.model_fields, n=1)
        return f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else "")
    return f"{name}: {message}"


def wants_traces(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether the standard variables of OpenTelemetry ask for traces."""
    environment = os.environ if environment is None else environment
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "").lower() == "none":
        return False
    return any(environment.get(name) for name in _TRACES_ASKED)


def on_command_line() -> list[str]:
    """Return the settings that have a flag: all but those only a file can express."""
    return [name for name in Settings.model_fields if name not in _FILE_ONLY]
