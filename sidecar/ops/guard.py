"""Who may open the admin page: this site's own browser tab, by a name that nobody can rebind. Pure.

A web page anywhere can make a browser send requests to 127.0.0.1. It cannot read the answers of
another origin, unless its own name begins to point here (DNS rebinding), so the name is looked at.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_own_host(host: str, own_name: str) -> bool:
    """Tell whether `Host` is an address, or a name that no stranger can point at us.

    Args:
        host: The field's value.
        own_name: The name that the settings say is listened on.
    """
    name = _name_of(host)
    if name is None:
        return False
    # A name without a dot is one of this network (Compose, Kubernetes): no registry sells it.
    return _is_address(name) or "." not in name or name == own_name


def is_loopback_host(host: str) -> bool:
    """Tell whether `Host` names this machine to whoever sent it."""
    name = _name_of(host)
    if name is None:
        return False
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)


def is_same_origin(fields: Mapping[str, str]) -> bool:
    """Tell whether a request comes from our own page, or from no page at all (Fetch standard)."""
    if fields.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = fields.get("Origin")
    return origin is None or origin == f"http://{fields.get('Host', '')}"


def _name_of(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        is_whole = parts.netloc == host and parts.username is None and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if is_whole and parts.hostname else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
