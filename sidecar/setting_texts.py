"""Settings as text: what they are by default, what they amount to, what differs.

One wording for `--help`, the start-up lines, the admin page and README, which a test compares.
"""

import json
from enum import Enum
from typing import Any

from pydantic import BaseModel

from sidecar.config import Settings, environment_name, on_command_line
from sidecar.model import Address

GROUPS = {
    "callers": ("user_pool_id", "user_pool_client_id", "mode", "token_use"),
    "addresses": ("upstream", "listen", "admin_listen", "verify_listen"),
    "keys and Cognito": (
        *("jwks_url", "insecure_jwks", "issuer", "revocation_check_s", "cognito_endpoint"),
    ),
    "browsers and proxies": ("cors_origins", "trusted_proxies", "websocket_expiry"),
    "operation": ("workers", "log_format", "log_sample", "config"),
}
"""The settings of the command line, in the order of `--help`."""

_REQUIRED = ("user_pool_id", "user_pool_client_id")
_DERIVED = ("jwks_url", "issuer", "cognito_endpoint")


def default_text(name: str) -> str:
    """Return the default of a setting as README and `--help` write it."""
    if name in _REQUIRED:
        return "required"
    if name in _DERIVED:
        return "derived"
    return text_of(name, Settings.model_fields[name].default)


def text_of(name: str, value: object) -> str:
    """Return a value of a setting the way it is written in the environment, or else as JSON."""
    if value is None or value == ():
        return "none"
    if isinstance(value, Address):
        return f"http://{value}" if name == "upstream" and not value.path else str(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple) and not isinstance(value[0], BaseModel):
        return ",".join(map(str, value))
    if isinstance(value, bool | BaseModel | dict | tuple):
        return json.dumps(_plain(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def effective(settings: Settings) -> list[tuple[str, str, bool]]:
    """Return every setting: its name, its value as text, and whether it differs from the default.

    There is nothing to hide: no setting is a secret.
    """
    return [
        (
            display_name(name),
            text_of(name, getattr(settings, name)),
            getattr(settings, name) != field.default,
        )
        for name, field in Settings.model_fields.items()
    ]


def start_up_lines(settings: Settings) -> list[str]:
    """Return one line for each setting that differs from its default."""
    return [f"{name}={text}" for name, text, is_changed in effective(settings) if is_changed]


def display_name(name: str) -> str:
    """Return the environment variable of a setting, or its name in the file if it has none."""
    return environment_name(name) if name in on_command_line() else name


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
