"""fastify with @fastify/http-proxy, and AWS's own aws-jwt-verify in front of it."""

from tests.bench.peers.peer import Peer, Setup
from tests.bench.processes import Command
from tests.bench.programs import FASTIFY as FOLDER
from tests.bench.programs import path_of
from tests.support import mint


def _command(setup: Setup) -> Command:
    return Command(
        (path_of("node"), str(FOLDER / "server.mjs")),
        {
            "NODE_ENV": "production",
            "PORT": str(setup.port),
            "UPSTREAM": f"http://{setup.upstream}",
            "JWKS": str(setup.keys.jwks),
            "POOL_ID": mint.POOL_ID,
            "CLIENT_ID": mint.CLIENT_ID,
        },
    )


_PACKAGES = ("fastify", "@fastify/http-proxy", "aws-jwt-verify")


def _version() -> tuple[str, ...]:
    files = {name: str(FOLDER / "node_modules" / name / "package.json") for name in _PACKAGES}
    words = ", ".join(f"'{name} ' + require('{file}').version" for name, file in files.items())
    return (path_of("node"), "-p", f"['node ' + process.version, {words}].join(', ')")


FASTIFY = Peer("fastify", "fastify", _command, _version)
