import socket
from pathlib import Path

import pytest

from deploy.local.loopback import HOST_V6, free_port
from deploy.local.parts import Ports, cognito_part, parts_around, taken_ports
from deploy.local.pool import LocalPool

POOL = LocalPool("http://127.0.0.1:4566", "us-east-1_x", "client", "issuer", "jwks", users=())


def test_an_offset_moves_every_port() -> None:
    """A second demo shares no port with the first."""
    assert Ports().shifted(10) == Ports(4576, 4577, 8090, 8091, 3010)


def test_a_frontend_port_taken_on_ipv6_alone_is_taken() -> None:
    """`localhost` may mean ::1, where somebody else would answer the browser."""
    ports = Ports(*(free_port() for _ in range(5)))
    try:
        other = socket.create_server((HOST_V6, ports.frontend), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with other:
        assert taken_ports(ports) == [f"{ports.frontend} (frontend)"]


def test_parts_start_from_the_back() -> None:
    """Each part finds what it talks to already running."""
    names = [part.name for part in parts_around(POOL, Ports(), Path("state"))]
    assert names == ["backend", "sidecar", "frontend"]


def test_the_sidecar_trusts_the_local_pool_and_listens_on_loopback() -> None:
    """Everything the sidecar is told comes from the pool and the ports."""
    sidecar = parts_around(POOL, Ports(), Path("state"))[1]
    assert {
        name: text
        for name, text in sidecar.environment.items()
        if name.startswith(("AWS_", "SIDECAR_"))
    } == {
        "AWS_COGNITO_USER_POOL_ID": "us-east-1_x",
        "AWS_COGNITO_USER_POOL_CLIENT_ID": "client",
        "SIDECAR_JWKS_URL": "jwks",
        "SIDECAR_UPSTREAM": "http://127.0.0.1:4567",
        "SIDECAR_LISTEN": "127.0.0.1:8080",
        "SIDECAR_ADMIN_LISTEN": "127.0.0.1:8081",
        "SIDECAR_CORS_ORIGINS": "http://localhost:3000",
    }
    assert sidecar.health_url == "http://127.0.0.1:8081/readyz"


def test_the_frontend_is_told_of_the_sidecar_and_of_the_local_pool() -> None:
    """The browser gets the pool, the stand-in instead of AWS, and one API: the sidecar."""
    frontend = parts_around(POOL, Ports(), Path("state"))[2]
    assert {
        name: text
        for name, text in frontend.environment.items()
        if name.startswith(("FRONTEND_", "VITE_"))
    } == {
        "FRONTEND_PORT": "3000",
        "VITE_API_URL": "http://127.0.0.1:8080",
        "VITE_COGNITO_ENDPOINT": "http://127.0.0.1:4566",
        "VITE_COGNITO_REGION": "us-east-1",
        "VITE_COGNITO_USER_POOL_ID": "us-east-1_x",
        "VITE_COGNITO_CLIENT_ID": "client",
    }


def test_settings_of_other_work_reach_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's AWS profile or a forgotten SIDECAR_MODE does not change the demo."""
    foreign = (
        *("AWS_PROFILE", "SIDECAR_MODE", "GUNICORN_CMD_ARGS", "BACKEND_WORKERS"),
        *("FRONTEND_FOLDER", "VITE_NAME"),
    )
    for name in foreign:
        monkeypatch.setenv(name, "set")
    for part in [cognito_part(Ports(), Path("state")), *parts_around(POOL, Ports(), Path("state"))]:
        assert not [name for name in foreign if name in part.environment], part.name


def test_the_local_cognito_listens_on_loopback_alone() -> None:
    """MiniStack's own default is every interface, and two more ports."""
    environment = cognito_part(Ports(), Path("state")).environment
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["IOT_MTLS_ENABLED"] == environment["SFTP_ENABLED"] == "0"
    assert environment["AUTH"] == "true"
