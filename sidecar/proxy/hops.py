"""What is known of a client's connection: who the peer is, and which id its request gets."""

import itertools
import secrets
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

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

    def describe(self, peer: str, fields: ClientFields) -> Hop:
        """Describe the hop of one request.

        Args:
            peer: What the other end of the connection is called.
            fields: From `headers.strip`.
        """
        offered = fields.values(b"x-request-id")
        made = self.make_request_id()
        request_id = headers.choose_request_id(offered, made) if offered else made
        address = _ip_address(peer)
        is_trusted = bool(self._trusted_proxies) and self._is_trusted(address)
        return Hop(address, is_trusted, request_id)

    def make_request_id(self) -> bytes:
        """Make an id that no other request has, here or in another process."""
        return b"%b-%x" % (self._prefix, next(self._count))

    def _is_trusted(self, address: bytes) -> bool:
        if not address:
            return False
        peer = ip_address(address.decode())
        return any(peer in network for network in self._trusted_proxies)


@lru_cache(maxsize=1024)  # 2 µs for an address, and the same few come again and again
def _ip_address(peer: str) -> bytes:
    """Return an IP address; empty for a Unix socket, whatever its other end calls itself."""
    try:
        ip_address(peer)
    except ValueError:
        return b""
    return peer.encode()
