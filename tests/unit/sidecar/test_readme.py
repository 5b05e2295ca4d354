"""README says what the code does."""

import re
from pathlib import Path

import pytest

from sidecar.config import environment_name, on_command_line
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
