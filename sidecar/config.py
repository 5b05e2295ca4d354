"""Every setting, in one place; the only reader of the environment and of the TOML file.

Command line, environment, TOML file, default: the first that names a setting wins. Everything that
is wrong is found before anything starts.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from sidecar.cognito.issuer import region_of
from sidecar.errors import SettingsInvalid
from sidecar.model import Address

_AWS_NAMES = {
    "user_pool_id": "AWS_COGNITO_USER_POOL_ID",
    "user_pool_client_id": "AWS_COGNITO_USER_POOL_CLIENT_ID",
}
_PREFIX = "SIDECAR_"
_FILE_ONLY = frozenset({"routes", "headers", "forward_token", "timeouts"})
_FIELD_NAME = r"^[A-Za-z0-9!#$%&'*+.^`|~-]+$"  # a token of RFC 9110 without `_`, which WSGI folds

ANY_CLIENT = "*"
"""Accept every app client of the pool: a check is skipped only when someone says so."""


def _split(value: object) -> object:
    """Read a comma-separated text as a list; anything else is for pydantic to judge."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _parse_address(value: object) -> object:
    """Read `host:port`, `[ipv6]:port` or `unix:/path`."""
    if not isinstance(value, str):
        return value
    if value.startswith("unix:"):
        path = value.removeprefix("unix:")
        if not path.startswith("/"):
            msg = "expected unix: and an absolute path"
            raise ValueError(msg)
        return Address(path=path)
    parts = urlsplit(f"//{value}")
    if not parts.hostname or parts.port is None or parts.netloc != value or "@" in value:
        msg = "expected host:port, [ipv6]:port or unix:/path"
        raise ValueError(msg)
    return Address(parts.hostname, parts.port)


def _parse_upstream(value: object) -> object:
    if not isinstance(value, str) or value.startswith("unix:"):
        return _parse_address(value)
    scheme, separator, rest = value.partition("://")
    if not separator or scheme.lower() != "http":
        msg = "expected http://host:port or unix:/path; the backend shares the sidecar's network"
        raise ValueError(msg)
    rest = rest.removesuffix("/")
    has_port = rest.rpartition("]")[2].find(":") >= 0
    return _parse_address(rest if has_port else f"{rest}:80")


Texts = Annotated[tuple[str, ...], BeforeValidator(_split)]
ListenAddress = Annotated[Address, BeforeValidator(_parse_address)]
UpstreamAddress = Annotated[Address, BeforeValidator(_parse_upstream)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(ip_network)]


class ModeName(StrEnum):
    """The modes of DESIGN §4."""

    STRIP = "strip"
    OPTIONAL = "optional"
    REQUIRE = "require"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RouteSettings(_Strict):
    """One `[[routes]]` entry; first match wins."""

    path: str = Field(pattern=r"^/[!-)+-~]*(?:/\*)?$|^/\*$")
    methods: tuple[str, ...] = ()
    mode: ModeName
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _conditions_need_require(self) -> Self:
        if (self.groups or self.scopes) and self.mode is not ModeName.REQUIRE:
            msg = 'groups and scopes need mode = "require"'
            raise ValueError(msg)
        return self


class TimeoutSettings(_Strict):
    """The `[timeouts]` table, in seconds."""

    connect_s: float = Field(default=5.0, gt=0)
    head_s: float = Field(default=60.0, gt=0)
    idle_body_s: float = Field(default=60.0, gt=0)
    keep_idle_s: float = Field(default=1.5, ge=0)
    drain_s: float = Field(default=10.0, ge=0)


class Settings(_Strict):
    """All settings, validated. Names are those of the TOML file; the environment adds a prefix."""

    user_pool_id: Texts = Field(description="user pools that callers may come from")
    user_pool_client_id: Texts = Field(
        description="accepted app clients; * accepts all of the pool"
    )
    upstream: UpstreamAddress = Field(
        default=Address("127.0.0.1", 4567), description="the backend; unix:/path.sock too"
    )
    listen: ListenAddress = Field(
        default=Address("0.0.0.0", 8080),  # noqa: S104 - the port that is meant to be public
        description="the public port; unix:/path.sock too",
    )
    admin_listen: ListenAddress = Field(
        default=Address("127.0.0.1", 8081), description="health; never the public port"
    )
    mode: ModeName = Field(
        default=ModeName.STRIP,
        description="for requests no route rule matches: strip, optional or require",
    )
    token_use: Annotated[tuple[Literal["access", "id"], ...], BeforeValidator(_split)] = Field(
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
    cors_origins: Texts = Field(
        default=(), description="origins whose browsers may read the sidecar's own refusals"
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_split)] = Field(
        default=(), description="CIDRs whose X-Forwarded-* are believed and extended"
    )
    config: Path | None = Field(default=None, description="TOML file with any of these settings")
    routes: tuple[RouteSettings, ...] = Field(default=(), description="rules, first match wins")
    headers: dict[Annotated[str, Field(pattern=_FIELD_NAME)], str] = Field(
        default={"X-Cognito-Sub": "sub", "X-Cognito-Username": "username"},
        description="header = claim; each is also stripped from every incoming request",
        min_length=1,
    )
    forward_token: bool = Field(
        default=True, description="whether the backend may see a token that proved its caller"
    )
    timeouts: TimeoutSettings = Field(default=TimeoutSettings(), description="in seconds")

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
        if not client_ids or (ANY_CLIENT in client_ids and len(client_ids) > 1):
            msg = "expected app client ids separated by commas, or * alone"
            raise ValueError(msg)
        return client_ids

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                msg = "expected origins such as https://app.example, without a path"
                raise ValueError(msg)
        return origins

    @model_validator(mode="after")
    def _keys_come_safely(self) -> Self:
        if self.issuer and len(self.user_pool_id) > 1:
            msg = "SIDECAR_ISSUER: expected only with one user pool, else it fits none"
            raise ValueError(msg)
        if self.jwks_url is not None:
            _check_jwks_url(self.jwks_url, is_insecure_allowed=self.insecure_jwks)
        return self


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
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += [_describe(problem) for problem in error.errors()]
        raise SettingsInvalid(problems) from error
    if problems:
        raise SettingsInvalid(problems)
    return settings


def _check_jwks_url(url: str, *, is_insecure_allowed: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        msg = "SIDECAR_JWKS_URL: expected an http or https URL without user information"
        raise ValueError(msg)
    if parts.scheme == "http" and not is_insecure_allowed and not _is_loopback(parts.hostname):
        msg = (
            "SIDECAR_JWKS_URL: expected https, for whoever can change the keys can sign tokens; "
            "http is for loopback, or with SIDECAR_INSECURE_JWKS=1"
        )
        raise ValueError(msg)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
        return f"{name}: required; {Settings.model_fields[str(location[0])].description}"
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, Settings.model_fields, n=1)
        return f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else "")
    return f"{name}: {message}"


def on_command_line() -> list[str]:
    """Return the settings that have a flag: all but those only a file can express."""
    return [name for name in Settings.model_fields if name not in _FILE_ONLY]
