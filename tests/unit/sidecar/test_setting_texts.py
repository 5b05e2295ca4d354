"""Settings as text: one wording for help, start-up lines and README."""

from sidecar.config import on_command_line
from sidecar.setting_texts import GROUPS, default_text, effective, start_up_lines
from tests.support.settings import POOL, run, settings


def test_help_has_every_setting_in_exactly_one_group() -> None:
    """A setting that no group names would have no flag."""
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(on_command_line())


def test_help_shows_every_default() -> None:
    """What `--help` says is what the code does."""
    words = " ".join(run("--help", COLUMNS="400").stdout.split())
    for name in on_command_line():
        assert f"; default: {default_text(name)}]" in words, name


def test_start_up_lines_are_the_differences_from_the_defaults() -> None:
    """Whoever reads the log sees what was decided, and nothing else."""
    chosen = settings(SIDECAR_MODE="require", SIDECAR_UPSTREAM="http://backend:80")
    assert start_up_lines(chosen) == [
        f"AWS_COGNITO_USER_POOL_ID={POOL}",
        "AWS_COGNITO_USER_POOL_CLIENT_ID=client-1",
        "SIDECAR_UPSTREAM=http://backend:80",
        "SIDECAR_MODE=require",
    ]


def test_effective_settings_read_back_as_the_same_settings() -> None:
    """The text of a value is the value in the environment's spelling."""
    chosen = settings(SIDECAR_CORS_ORIGINS="https://a.example,http://b:1", SIDECAR_LOG_SAMPLE="0.5")
    texts = {name: text for name, text, is_changed in effective(chosen) if is_changed}
    texts.pop("AWS_COGNITO_USER_POOL_ID")
    assert settings(**texts) == chosen
