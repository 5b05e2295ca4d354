"""What is known of a client's connection: who the peer is, and which id its request gets."""

import itertools
import secrets
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

from sidecar.proxy import headers
from sidecar.proxy.headers import ClientFields, Hop


class Hops:
    """Describes hops. A class because ids are counted.

    Args:
        trusted_proxies: Peers whose `X-Forwarded-*` are believed.
    """

    def __init__(self, trusted_proxies: Collection[IPv4Network | IPv6Network]) -> None:
        self._trusted_proxies = trusted_proxies
        self._prefix = secrets.token_hex(8).encode()
        self._count = itertools.count(1)

    def describe(self, request: web.BaseRequest, fields: ClientFields) -> Hop:
        """Describe the hop of one request."""
        peer = _ip_address(request.remote)
        offered = fields.values(b"x-request-id")
        request_id = headers.choose_request_id(offered, self.make_request_id())
        return Hop(peer.encode(), self._is_trusted(peer), request_id)

    def make_request_id(self) -> bytes:
        """Make an id that no other request has, here or in another process."""
        return b"%b-%x" % (self._prefix, next(self._count))

    def _is_trusted(self, peer: str) -> bool:
        if not self._trusted_proxies or not peer:
            return False
        return any(ip_address(peer) in network for network in self._trusted_proxies)


@lru_cache(maxsize=1024)  # 2 µs for an address, and the same few come again and again
def _ip_address(peer: str | None) -> str:
    """Return an IP address; empty for a Unix socket, whatever its other end calls itself."""
    try:
        ip_address(peer or "")
    except ValueError:
        return ""
    return peer or ""
