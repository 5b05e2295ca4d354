"""The two compose files: who is reachable, what is hardened, and that both say the same."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.config import settings_of
from sidecar.config import load

ROOT = Path(__file__).parents[3]
LOCAL, AWS = "docker-compose.yml", "docker-compose.aws.yml"
POOL = {
    "AWS_COGNITO_USER_POOL_ID": "eu-west-1_AbCdEfGhI",
    "AWS_COGNITO_USER_POOL_CLIENT_ID": "1example23456789",
}
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?[-?]([^}]*))?\}")


def read(name: str) -> dict[str, Any]:
    """The services of a file; variables that are not set in POOL have their defaults."""
    text = (ROOT / name).read_text()
    filled = _VARIABLE.sub(lambda match: POOL.get(match[1], match[2] or ""), text)
    services: dict[str, Any] = yaml.safe_load(filled)["services"]
    return services


@pytest.fixture(params=[LOCAL, AWS])
def services(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def test_backend_is_reached_through_the_sidecar_alone(services: dict[str, Any]) -> None:
    """It lives in the sidecar's network namespace, on loopback, and publishes nothing."""
    backend = services["backend"]
    assert backend["network_mode"] == "service:sidecar"
    assert not {"ports", "expose", "networks"} & backend.keys()
    assert settings_of(backend["environment"]).bind.startswith("127.0.0.1:")
    assert [port.split(":")[-1] for port in services["sidecar"]["ports"]] == ["8080"]


def test_ports_are_published_on_loopback_only(services: dict[str, Any]) -> None:
    """A laptop in a café serves nobody but its owner."""
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_service_is_hardened(services: dict[str, Any]) -> None:
    """Read-only root, no capabilities, no new privileges."""
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "user"} & service.keys()


def test_each_service_waits_for_the_health_of_the_one_before(services: dict[str, Any]) -> None:
    """cognito, sidecar, backend, frontend: no port answers before what it needs does."""
    waited = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    assert waited["backend"] == {"sidecar": "service_healthy"}
    assert waited["frontend"] == {"backend": "service_healthy"}
    if "cognito" in services:
        assert waited["sidecar"] == {"cognito": "service_healthy"}


def test_files_differ_in_where_the_pool_is_and_in_nothing_else() -> None:
    """What is tried at home is what runs with AWS."""
    local, aws = read(LOCAL), read(AWS)
    assert local.pop("cognito")
    assert local["backend"] == aws["backend"]
    assert local.keys() == aws.keys()
    about_the_pool = {"environment", "volumes", "depends_on", "entrypoint"}
    for name in ("sidecar", "frontend"):
        for key in (local[name].keys() | aws[name].keys()) - about_the_pool:
            assert local[name].get(key) == aws[name].get(key), (name, key)


def test_sidecar_accepts_the_settings_of_both(tmp_path: Path) -> None:
    """Two variables are enough for AWS; at home a file from the stand-in says the rest."""
    assert load({}, read(AWS)["sidecar"]["environment"]).user_pool_id == (
        POOL["AWS_COGNITO_USER_POOL_ID"],
    )
    environment = read(LOCAL)["sidecar"]["environment"]
    assert environment["SIDECAR_CONFIG"] == "/pool/sidecar.toml"
    file = tmp_path / "sidecar.toml"
    file.write_text(
        'user_pool_id = "us-east-1_a"\nuser_pool_client_id = "b"\n'
        'jwks_url = "http://cognito:4566/us-east-1_a/.well-known/jwks.json"\n'
    )
    assert load({}, environment | {"SIDECAR_CONFIG": str(file)}).jwks_url is not None


def test_every_variable_is_explained_in_the_example() -> None:
    """`.env.example` names each one, and none that does nothing."""
    used = {match[1] for name in (LOCAL, AWS) for match in _VARIABLE.finditer(_text(name))}
    explained = set(re.findall(r"^#?([A-Z_]+)=", _text(".env.example"), re.MULTILINE))
    assert explained == used


def test_frontend_is_told_in_its_own_words() -> None:
    """Each VITE_ name is one that its settings read."""
    known = set(re.findall(r"VITE_[A-Z_]+", _text("frontend/settings.mjs")))
    told = {match for name in (LOCAL, AWS) for match in re.findall(r"VITE_[A-Z_]+", _text(name))}
    told |= set(re.findall(r"VITE_[A-Z_]+", _text("deploy/docker/stand_in.py")))
    assert told
    assert told <= known


@pytest.mark.parametrize("name", [LOCAL, AWS])
def test_compose_itself_accepts_the_file(name: str) -> None:
    """As `docker compose config` does, where there is one."""
    if shutil.which("docker") is None:
        pytest.skip("docker is not here")
    probe = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("docker has no compose plugin here")
    command = ["docker", "compose", "-f", name, "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=POOL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _text(name: str) -> str:
    return (ROOT / name).read_text()
