"""HAProxy's `jwt_verify`, one thread, with the checks of its own guide.

It has no cache and looks up no `kid`: there is one key, in a file.
"""

from tests.bench.peers.peer import Peer, Setup
from tests.bench.processes import Command
from tests.bench.programs import path_of
from tests.support import mint

_CONFIGURATION = """
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend public
  bind 127.0.0.1:{port}
  http-request del-header X-Cognito-Sub
  http-request del-header X-Cognito-Username
  acl asks req.hdr(authorization) -m found
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg') if asks
  http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss') if asks
  http-request set-var(txn.client) http_auth_bearer,jwt_payload_query('$.client_id') if asks
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int') if asks
  http-request set-var(txn.now) date() if asks
  http-request deny deny_status 401 if asks !{{ var(txn.alg) -m str RS256 }}
  http-request deny deny_status 401 if asks !{{ var(txn.iss) -m str {issuer} }}
  http-request deny deny_status 401 if asks !{{ var(txn.client) -m str {client} }}
  http-request deny deny_status 401 if asks {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
  http-request deny deny_status 401 if asks !{{ http_auth_bearer,jwt_verify(txn.alg,"{key}") -m int 1 }}
  http-request set-header X-Cognito-Sub %[http_auth_bearer,jwt_payload_query('$.sub')] if asks
  http-request set-header X-Cognito-Username %[http_auth_bearer,jwt_payload_query('$.username')] if asks
  default_backend app
backend app
  server app {upstream}
"""  # noqa: E501 - HAProxy's lines cannot be broken


def _command(setup: Setup) -> Command:
    file = setup.folder / "haproxy.cfg"
    file.write_text(
        _CONFIGURATION.format(
            port=setup.port,
            issuer=mint.ISSUER,
            client=mint.CLIENT_ID,
            key=setup.keys.public_key,
            upstream=setup.upstream,
        )
    )
    return Command((path_of("haproxy"), "-db", "-f", str(file)))


def _version() -> tuple[str, ...]:
    return (path_of("haproxy"), "-v")


HAPROXY = Peer("HAProxy", "haproxy", _command, _version)
