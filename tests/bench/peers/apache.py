"""Apache with mod_auth_openidc as an OAuth 2.0 resource server, verifying with a local key.

One process of the event MPM with enough threads for every connection that is measured. The module
checks signature and expiry; issuer and client are its own `Require claim`.
"""

from tests.bench.peers.peer import Peer, Setup
from tests.bench.processes import Command
from tests.bench.programs import path_of
from tests.support import mint

_MODULES = (
    *("mpm_event", "authn_core", "authz_core", "authz_user", "env", "headers"),
    *("proxy", "proxy_http", "proxy_wstunnel", "auth_openidc"),
)

_CONFIGURATION = """
ServerName 127.0.0.1
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/errors
LogLevel crit
User www-data
Group www-data
Listen 127.0.0.1:{port}
{modules}
StartServers 1
ServerLimit 1
ThreadLimit 640
ThreadsPerChild 640
MaxRequestWorkers 640
MinSpareThreads 1
MaxSpareThreads 640
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75
Timeout 60

OIDCOAuthVerifyCertFiles {kid}#{certificate}
OIDCOAuthRemoteUserClaim sub
OIDCPassClaimsAs environment

RequestHeader unset X-Cognito-Sub early
RequestHeader unset X-Cognito-Username early
<If "-n req('Authorization')">
  AuthType oauth20
  <RequireAll>
    Require claim iss:{issuer}
    Require claim client_id:{client}
  </RequireAll>
  RequestHeader set X-Cognito-Sub "%{{OIDC_CLAIM_sub}}e" env=OIDC_CLAIM_sub
  RequestHeader set X-Cognito-Username "%{{OIDC_CLAIM_username}}e" env=OIDC_CLAIM_username
</If>
ProxyPreserveHost On
ProxyPass /ws ws://{upstream}/ws
ProxyPass / http://{upstream}/
"""


def _command(setup: Setup) -> Command:
    file = setup.folder / "apache.conf"
    path = "/usr/lib/apache2/modules"
    file.write_text(
        _CONFIGURATION.format(
            folder=setup.folder,
            port=setup.port,
            modules="\n".join(f"LoadModule {n}_module {path}/mod_{n}.so" for n in _MODULES),
            kid=mint.KID,
            certificate=setup.keys.certificate,
            issuer=mint.ISSUER,
            client=mint.CLIENT_ID,
            upstream=setup.upstream,
        )
    )
    return Command((path_of("apache2"), "-D", "FOREGROUND", "-f", str(file)))


def _version() -> tuple[str, ...]:
    return (path_of("apache2"), "-v")


APACHE = Peer("Apache", "apache2", _command, _version)
