from pathlib import Path

import pytest

from backend.config import DEFAULTS, Settings, settings_from_environment, settings_of
from backend.errors import SettingsInvalid


def test_settings_empty_environment_gives_defaults() -> None:
    """Nothing has to be set."""
    assert settings_of({}) == Settings(
        bind="127.0.0.1:4567",
        database=Path(".local/backend.sqlite3"),
        workers=1,
        threads=8,
        allowed_origins=("http://localhost:3000",),
    )


def test_settings_blank_values_mean_defaults() -> None:
    """Compose files pass unset variables as blank ones."""
    assert settings_of(dict.fromkeys(DEFAULTS, " ")) == settings_of({})


def test_settings_origins_are_split_and_normalised() -> None:
    """Origins come out as browsers send them: lower case, no slash at the end."""
    settings = settings_of(
        {
            "FRONTEND_URL": "https://App.example.com/, http://localhost:5173",
            "BACKEND_URL": "http://[::1]:8080,",
        }
    )
    assert settings.allowed_origins == (
        "https://app.example.com",
        "http://localhost:5173",
        "http://[::1]:8080",
    )


@pytest.mark.parametrize("bind", ["0.0.0.0:80", "[::1]:4567", "localhost:0", "unix:/run/b.sock"])
def test_settings_good_bind_is_kept(bind: str) -> None:
    """Every address form gunicorn knows for one listener is accepted."""
    assert settings_of({"BACKEND_BIND": bind}).bind == bind


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND_BIND", "4567"),
        ("BACKEND_BIND", "127.0.0.1:65536"),
        ("BACKEND_BIND", "http://127.0.0.1:80"),
        ("BACKEND_BIND", "unix:"),
        ("BACKEND_WORKERS", "0"),
        ("BACKEND_WORKERS", "two"),
        ("BACKEND_WORKERS", "-1"),
        ("BACKEND_THREADS", "257"),
        ("BACKEND_THREADS", "٣"),
        ("BACKEND_MIDDLEWARE", "sidecar.wsgi"),
        ("FRONTEND_URL", "*"),
        ("FRONTEND_URL", "localhost:3000"),
        ("FRONTEND_URL", "http://localhost:3000/app"),
        ("BACKEND_URL", "https://user@example.com"),
    ],
)
def test_settings_bad_value_is_named(name: str, value: str) -> None:
    """The message names the setting and what it must be, on one line."""
    with pytest.raises(SettingsInvalid) as refusal:
        settings_of({name: value})
    message = str(refusal.value)
    assert message.startswith(f"{name} must be ")
    assert "\n" not in message


def test_settings_all_bad_values_are_named_at_once() -> None:
    """Nobody has to start five times to fix five settings."""
    names = [name for name in DEFAULTS if name != "BACKEND_DATABASE"]
    with pytest.raises(SettingsInvalid) as refusal:
        settings_of(dict.fromkeys(names, "!"))
    assert all(name in str(refusal.value) for name in names)


def test_settings_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process was given counts."""
    monkeypatch.setenv("BACKEND_THREADS", "3")
    assert settings_from_environment().threads == 3
