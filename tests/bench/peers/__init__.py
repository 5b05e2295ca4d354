"""Everyone who takes part: each configured as its own documentation says."""

from tests.bench.peers.aiohttp_jose import AIOHTTP_JOSE
from tests.bench.peers.apache import APACHE
from tests.bench.peers.envoy import ENVOY, ENVOY_CACHE
from tests.bench.peers.fastify import FASTIFY
from tests.bench.peers.haproxy import HAPROXY
from tests.bench.peers.sidecar import SIDECAR

PROXIES = (SIDECAR, ENVOY, ENVOY_CACHE, HAPROXY, APACHE, FASTIFY, AIOHTTP_JOSE)
