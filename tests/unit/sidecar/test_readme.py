"""README says what the code does."""

import re
from pathlib import Path

import pytest

from sidecar.config import Settings, environment_name, on_command_line
from sidecar.errors import SidecarError
from sidecar.setting_texts import default_text

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", re.MULTILINE)


def documented() -> dict[str, str]:
    """Return the settings table: name and default."""
    return {name: default.strip("`") for name, default in ROW.findall(README) if "_" in name}


def test_every_setting_is_in_readme_with_its_default() -> None:
    """The table and the code name the same settings and the same defaults."""
    expected = {environment_name(name): default_text(name) for name in on_command_line()}
    assert documented() == expected


def leaves(error: type[SidecarError]) -> list[type[SidecarError]]:
    """Return an error's classes that have none below them."""
    below = error.__subclasses__()
    return [leaf for child in below for leaf in leaves(child)] if below else [error]


@pytest.mark.parametrize("reason", sorted({leaf.reason for leaf in leaves(SidecarError)}))
def test_every_reason_is_in_readme(reason: str) -> None:
    """A reason that the sidecar can give is one that README lists."""
    assert f"`{reason}`" in README


BOUND = re.compile(
    r"^\| `([a-z]+_[a-z_]+|connections|requests|fields)` \| ([\d.]+) \| .+ \|$", re.MULTILINE
)


def test_every_bound_is_in_readme_with_its_default() -> None:
    """The tables of timeouts and limits and the code name the same bounds and defaults."""
    tables = (Settings.model_fields["timeouts"].default, Settings.model_fields["limits"].default)
    expected = {name: value for table in tables for name, value in table.model_dump().items()}
    assert {name: float(value) for name, value in BOUND.findall(README)} == expected
