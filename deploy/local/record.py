"""This file writes and reads `demo.json`, which says where the running demo is.

It exists while the demo runs and no longer; other tools, and tests from outside, rely on its keys.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.parts import ROOT, Ports
from deploy.local.pool import DemoUser, LocalPool

STATE_DIR = ROOT / ".local"
NAME = "demo.json"


class DemoNotRunning(Exception):
    """There is no `demo.json`."""


def forget(state_dir: Path) -> None:
    """Remove the record of a demo that was killed: while one starts, none is running."""
    (state_dir / NAME).unlink(missing_ok=True)


@contextmanager
def recorded(pool: LocalPool, ports: Ports, state_dir: Path) -> Iterator[None]:
    """Keep `demo.json` in `state_dir` until the block ends."""
    path = state_dir / NAME
    draft = path.with_suffix(".draft")  # a reader sees the whole file or none
    draft.write_text(json.dumps(_record(pool, ports), indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    try:
        yield
    finally:
        forget(state_dir)


def recorded_pool(state_dir: Path) -> LocalPool:
    """The pool of the running demo.

    Raises:
        DemoNotRunning: No demo keeps its state in `state_dir`.
    """
    try:
        record = json.loads((state_dir / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DemoNotRunning("the demo is not running; start it with: make demo") from error
    return LocalPool(
        endpoint=record["cognito_endpoint"],
        user_pool_id=record["user_pool_id"],
        client_id=record["client_id"],
        issuer=record["issuer"],
        jwks_url=record["jwks_url"],
        users=tuple(_user(entry) for entry in record["users"]),
    )


def _record(pool: LocalPool, ports: Ports) -> dict[str, object]:
    return {
        "user_pool_id": pool.user_pool_id,
        "client_id": pool.client_id,
        "issuer": pool.issuer,
        "jwks_url": pool.jwks_url,
        "cognito_endpoint": pool.endpoint,
        "sidecar_url": ports.sidecar_url,
        "admin_url": ports.admin_url,
        "backend_url": ports.backend_url,
        "frontend_url": ports.frontend_url,
        "users": [_entry(user) for user in pool.users],
    }


def _entry(user: DemoUser) -> dict[str, object]:
    return {
        "username": user.email,  # what is typed to sign in
        "email": user.email,
        "password": user.password,
        "name": user.name,
        "preferred_username": user.preferred_username,
        "sub": user.sub,
        "groups": list(user.groups),
    }


def _user(entry: dict[str, str]) -> DemoUser:
    return DemoUser(
        email=entry["email"],
        password=entry["password"],
        name=entry["name"],
        preferred_username=entry["preferred_username"],
        groups=tuple(entry["groups"]),
        sub=entry["sub"],
    )
