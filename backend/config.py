"""Every setting of the backend. The only file that reads the environment."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.errors import SettingsInvalid

DEFAULTS = {
    "BACKEND_BIND": "127.0.0.1:4567",
    "BACKEND_DATABASE": ".local/backend.sqlite3",
    "BACKEND_WORKERS": "1",
    "BACKEND_THREADS": "8",
    "FRONTEND_URL": "http://localhost:3000",
    "BACKEND_URL": "",
    "BACKEND_MIDDLEWARE": "",
}

# Processes, and threads in each. A typing slip such as 8000 would exhaust a small machine.
MAX_COUNT = 256
MAX_PORT = 65535

_HOST = r"(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)"
_HOST_AND_PORT = re.compile(rf"{_HOST}:([0-9]{{1,5}})", re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://{_HOST}(?::[0-9]{{1,5}})?/?", re.IGNORECASE)
_IMPORT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings.

    Attributes:
        bind: `host:port` or `unix:/path`, as gunicorn spells it.
        database: The SQLite file. Nothing says yet that it can be opened.
        workers: Processes.
        threads: Threads in each process.
        allowed_origins: Origins whose scripts may call the API, as browsers send them.
        middleware: `module:name` of a WSGI middleware around the application; empty for none.
    """

    bind: str
    database: Path
    workers: int
    threads: int
    allowed_origins: tuple[str, ...]
    middleware: str = ""


def settings_from_environment() -> Settings:
    """Read the process environment; raises as `settings_of` does."""
    return settings_of(os.environ)


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Check all settings. A blank value means the default.

    Raises:
        SettingsInvalid: Names every bad setting and what was expected of it, on one line.
    """
    text = {name: environment.get(name, "").strip() or DEFAULTS[name] for name in DEFAULTS}
    problems = [f"{name} {expected}" for name, holds, expected in _RULES if not holds(text[name])]
    if problems:
        raise SettingsInvalid("; ".join(problems))
    return Settings(
        bind=text["BACKEND_BIND"],
        database=Path(text["BACKEND_DATABASE"]),
        workers=int(text["BACKEND_WORKERS"]),
        threads=int(text["BACKEND_THREADS"]),
        allowed_origins=_origins(text["FRONTEND_URL"]) + _origins(text["BACKEND_URL"]),
        middleware=text["BACKEND_MIDDLEWARE"],
    )


def _is_bind(text: str) -> bool:
    if text.startswith("unix:/"):
        return True
    match = _HOST_AND_PORT.fullmatch(text)
    return match is not None and int(match[1]) <= MAX_PORT


def _is_count(text: str) -> bool:
    return re.fullmatch("[0-9]{1,3}", text) is not None and 1 <= int(text) <= MAX_COUNT


def _are_origins(text: str) -> bool:
    return all(_ORIGIN.fullmatch(part) for part in _parts(text))


def _is_import_name(text: str) -> bool:
    return not text or _IMPORT_NAME.fullmatch(text) is not None


def _origins(text: str) -> tuple[str, ...]:
    # A browser sends scheme and host in lower case, without a slash at the end (RFC 6454 §6.2).
    return tuple(part.rstrip("/").lower() for part in _parts(text))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


_COUNT_RULE = f"must be a whole number from 1 to {MAX_COUNT}"
_ORIGIN_RULE = "must be origins such as http://localhost:3000, separated by commas"

_RULES: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    ("BACKEND_BIND", _is_bind, f"must be host:port (port 0 to {MAX_PORT}) or unix:/path"),
    ("BACKEND_WORKERS", _is_count, _COUNT_RULE),
    ("BACKEND_THREADS", _is_count, _COUNT_RULE),
    ("FRONTEND_URL", _are_origins, _ORIGIN_RULE),
    ("BACKEND_URL", _are_origins, _ORIGIN_RULE),
    ("BACKEND_MIDDLEWARE", _is_import_name, "must be module:name"),
)
