"""How the value of one setting is read: addresses, lists, field names, URLs. Pure.

Each function raises ValueError with what was expected; `config` adds which setting it was.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from sidecar.model import Address
from sidecar.policy.routes import PREFIX_END
from sidecar.policy.target import is_ambiguous
from sidecar.proxy.headers import is_reserved

AUTO = "auto"
"""As many workers as there are cores to use."""

MAX_WORKERS = 64
"""Above it a number is a slip of the finger: each worker takes some 50 MiB."""


def split_list(value: object) -> object:
    """Read a comma-separated text as a list; anything else is for pydantic to judge."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def parse_address(value: object) -> object:
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


def parse_upstream(value: object) -> object:
    """Read `http://host:port`, the port being optional, or `unix:/path`."""
    if not isinstance(value, str) or value.startswith("unix:"):
        return parse_address(value)
    scheme, separator, rest = value.partition("://")
    if not separator or scheme.lower() != "http":
        msg = "expected http://host:port or unix:/path; the backend shares the sidecar's network"
        raise ValueError(msg)
    rest = rest.removesuffix("/")
    has_port = rest.rpartition("]")[2].find(":") >= 0
    return parse_address(rest if has_port else f"{rest}:80")


def parse_workers(value: object) -> object:
    """Read a number of processes, or `auto`."""
    text = str(value)
    if text == AUTO:
        return AUTO
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_WORKERS):
        msg = f"expected a number from 1 to {MAX_WORKERS}, or {AUTO}"
        raise ValueError(msg)
    return int(text)


def check_rule_path(path: str) -> str:
    """Accept a path that a request can have: a rule with another would never match."""
    prefix = path.removesuffix(PREFIX_END)
    if not path.startswith("/") or "*" in prefix or "?" in path or is_ambiguous(prefix or "/"):
        msg = "expected a path in its normal spelling, such as /api/orders, or a prefix, /api/*"
        raise ValueError(msg)
    return path


def check_field_names(names: list[str]) -> None:
    """Accept names of header fields that the sidecar may give to the backend."""
    for name in names:
        if is_reserved(name.lower().encode()):
            msg = f"{name}: expected a name that HTTP and the sidecar do not use themselves"
            raise ValueError(msg)
    if len({name.lower() for name in names}) < len(names):
        msg = "expected each name once; case does not count"
        raise ValueError(msg)


def check_origin(origin: str) -> str:
    """Accept an origin as browsers send it (RFC 6454 §6.2)."""
    parts = urlsplit(origin)
    is_origin = parts.scheme in ("http", "https") and bool(parts.hostname)
    if not is_origin or origin != f"{parts.scheme}://{parts.netloc}" or "@" in origin:
        msg = "expected origins such as https://app.example, without a path"
        raise ValueError(msg)
    return origin


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its name or address alone; nothing is looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
