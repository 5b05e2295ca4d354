"""This file is the list of what the demo runs: commands, environments, ports. It starts nothing."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from deploy.local import emulator
from deploy.local.aws import REGION
from deploy.local.loopback import HOST, HOST_V6, is_taken
from deploy.local.pool import LocalPool
from deploy.local.supervisor import Part

ROOT = Path(__file__).parents[2]

# What a developer has set for other work must not change what the demo does.
FOREIGN = ("AWS_", "SIDECAR_", "BACKEND_", "FRONTEND_", "VITE_", "GUNICORN_", "FLASK_")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens, on loopback. A field's name says what its port is for."""

    cognito: int = 4566
    backend: int = 4567
    sidecar: int = 8080
    sidecar_admin: int = 8081
    frontend: int = 3000

    def shifted(self, offset: int) -> "Ports":
        """All ports `offset` higher, so that a second demo can run beside the first."""
        return Ports(*(getattr(self, field.name) + offset for field in fields(self)))

    @property
    def backend_url(self) -> str:
        """Past the sidecar; never opened to a browser in earnest."""
        return f"http://{HOST}:{self.backend}"

    @property
    def sidecar_url(self) -> str:
        """What clients talk to."""
        return f"http://{HOST}:{self.sidecar}"

    @property
    def admin_url(self) -> str:
        """Health, metrics and the admin page of the sidecar."""
        return f"http://{HOST}:{self.sidecar_admin}"

    @property
    def frontend_url(self) -> str:
        """By name, not by address: it is the origin the sidecar and the backend accept."""
        return f"http://localhost:{self.frontend}"


def taken_ports(ports: Ports) -> list[str]:
    """Each port that something else holds, with what it was for; empty when all are free."""
    taken = [field.name for field in fields(ports) if is_taken(getattr(ports, field.name))]
    if "frontend" not in taken and is_taken(ports.frontend, HOST_V6):
        taken.append("frontend")
    return [f"{getattr(ports, name)} ({name.replace('_', ' ')})" for name in taken]


def cognito_part(ports: Ports, state_dir: Path) -> Part:
    """MiniStack. The pool in it is created once it answers."""
    return Part(
        name="cognito",
        command=tuple(emulator.command()),
        environment=emulator.environment(ports.cognito, state_dir),
        directory=ROOT,
        health_url=emulator.health_url(ports.cognito),
    )


def parts_around(pool: LocalPool, ports: Ports, state_dir: Path) -> list[Part]:
    """What runs once `pool` exists, in the order it starts."""
    return [
        _backend(ports, state_dir),
        _sidecar(pool, ports),
        _frontend(pool, ports),
    ]


def _backend(ports: Ports, state_dir: Path) -> Part:
    return Part(
        name="backend",
        command=_python("gunicorn", "-c", "backend/gunicorn.conf.py", "backend.app:create_app()"),
        environment=_environment(
            BACKEND_BIND=f"{HOST}:{ports.backend}",
            BACKEND_DATABASE=str(state_dir / "backend.sqlite3"),
            FRONTEND_URL=ports.frontend_url,
            BACKEND_URL=ports.backend_url,
        ),
        directory=ROOT,
        health_url=f"{ports.backend_url}/health",
    )


def _sidecar(pool: LocalPool, ports: Ports) -> Part:
    return Part(
        name="sidecar",
        command=_python("sidecar"),
        environment=_environment(
            AWS_COGNITO_USER_POOL_ID=pool.user_pool_id,
            AWS_COGNITO_USER_POOL_CLIENT_ID=pool.client_id,
            SIDECAR_JWKS_URL=pool.jwks_url,
            SIDECAR_UPSTREAM=ports.backend_url,
            SIDECAR_LISTEN=f"{HOST}:{ports.sidecar}",
            SIDECAR_ADMIN_LISTEN=f"{HOST}:{ports.sidecar_admin}",
            SIDECAR_CORS_ORIGINS=ports.frontend_url,
        ),
        directory=ROOT,
        health_url=f"{ports.admin_url}/readyz",
    )


def _frontend(pool: LocalPool, ports: Ports) -> Part:
    return Part(
        name="frontend",
        command=("node", "frontend/serve.mjs"),
        environment=_environment(
            FRONTEND_PORT=str(ports.frontend),
            VITE_API_URL=ports.sidecar_url,
            VITE_COGNITO_ENDPOINT=pool.endpoint,
            VITE_COGNITO_REGION=REGION,
            VITE_COGNITO_USER_POOL_ID=pool.user_pool_id,
            VITE_COGNITO_CLIENT_ID=pool.client_id,
        ),
        directory=ROOT,
        health_url=f"http://{HOST}:{ports.frontend}/config.json",
    )


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _environment(**settings: str) -> Mapping[str, str]:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
    # A line still in a child's buffer cannot be shown, least of all the one that says why it died.
    return inherited | {"PYTHONUNBUFFERED": "1"} | settings
