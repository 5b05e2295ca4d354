"""What is installed and shipped: floors, below which known holes are open, locks, and a list."""

import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "deploy" / "docker"

# Below these, request smuggling, forged tokens or memory exhaustion that has been published.
FLOORS = {
    "aiohttp": "3.14.4",
    "cryptography": "50",
    "flask": "3.1.3",
    "gunicorn": "23",
    "python-jose": "3.5.0",
    "werkzeug": "3.1.6",
}
RUN_TIME = ("aiohttp", "cryptography", "python-jose")
LOCKS = ("requirements.lock", "requirements-dev.lock")
IMAGE_LOCKS = ("backend.lock", "cognito.lock")

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)")


@cache
def pins(path: Path) -> dict[str, set[str]]:
    """Versions by name; a package may be pinned twice, for two kinds of machine."""
    found: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        if match := _PIN.match(line):
            found.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return found


@cache
def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.mark.parametrize("name", FLOORS)
def test_locked_and_installed_versions_are_above_the_floor(name: str) -> None:
    """In every lock that has the package, and in the environment that runs this."""
    floor = Version(FLOORS[name])
    paths = [ROOT / lock for lock in LOCKS] + [DOCKER / lock for lock in IMAGE_LOCKS]
    locked = [version for path in paths for version in pins(path).get(name, ())]
    assert locked
    assert min(map(Version, locked)) >= floor
    assert Version(installed_version(name)) >= floor


@pytest.mark.parametrize("name", FLOORS)
def test_declared_requirement_excludes_what_is_below_the_floor(name: str) -> None:
    """Whoever installs without a lock gets none of it either."""
    extras = project()["optional-dependencies"].values()
    declared = [*project()["dependencies"], *(line for extra in extras for line in extra)]
    (requirement,) = [r for r in map(Requirement, declared) if canonicalize_name(r.name) == name]
    lowest = min(Version(s.version) for s in requirement.specifier if s.operator == ">=")
    assert lowest >= Version(FLOORS[name])
    if name in RUN_TIME:
        assert name in {Requirement(line).name for line in project()["dependencies"]}


@pytest.mark.parametrize(
    "path", [ROOT / lock for lock in LOCKS] + [DOCKER / x for x in IMAGE_LOCKS]
)
def test_every_locked_package_has_hashes(path: Path) -> None:
    """A registry cannot answer with another file than the one that was locked."""
    text = path.read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    unhashed = [
        entry.split()[0] for entry in entries if _PIN.match(entry) and "sha256:" not in entry
    ]
    assert pins(path)
    assert unhashed == []
    assert "://" not in text.replace("https://docs.", "")


@pytest.mark.parametrize("image", IMAGE_LOCKS)
def test_image_runs_on_what_was_tested(image: str) -> None:
    """Its lock is a part of the one that tests run with: same versions, nothing else."""
    tested = pins(ROOT / "requirements-dev.lock")
    shipped = pins(DOCKER / image)
    assert {
        name: versions for name, versions in shipped.items() if tested.get(name) != versions
    } == {}
    wanted = (DOCKER / image).with_suffix(".in").read_text().splitlines()
    names = {
        canonicalize_name(Requirement(line).name) for line in wanted if not line.startswith("#")
    }
    assert names <= set(shipped)


def test_bill_of_materials_lists_the_lock(tmp_path: Path) -> None:
    """`make sbom`: every locked package with version, address and hashes, in CycloneDX."""
    path = tmp_path / "sbom.json"
    options = ["--pyproject", "pyproject.toml", "--mc-type", "application", "--of", "JSON"]
    options += ["--output-reproducible", "-o", str(path)]
    subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "requirements", *options, "requirements.lock"],
        cwd=ROOT,
        check=True,
        timeout=50,
        capture_output=True,
    )
    document = json.loads(path.read_text())
    listed: dict[str, set[str]] = {}
    for component in document["components"]:
        listed.setdefault(component["name"], set()).add(component["version"])
        assert component["purl"].startswith("pkg:pypi/")
        assert component["externalReferences"][0]["hashes"]
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "cognito-sidecar"
    assert listed == pins(ROOT / "requirements.lock")
