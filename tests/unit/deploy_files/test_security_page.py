"""SECURITY.md names a test for every threat; here is that they exist. And the workflow is sound."""

import re
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
STRIDE = (
    "Spoofing",
    "Tampering",
    "Repudiation",
    "Information disclosure",
    "Denial of service",
    "Elevation of privilege",
)


@cache
def page() -> str:
    return (ROOT / "SECURITY.md").read_text()


def rows() -> list[list[str]]:
    """The cells of the table of threats, its two head lines left out."""
    table = page().partition("| STRIDE |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_every_kind_of_threat_has_rows_and_every_row_a_test() -> None:
    """Six kinds, none without an answer."""
    kinds = [row[0].strip("*") for row in rows() if row[0]]
    assert kinds == list(STRIDE)
    for row in rows():
        assert re.findall(r"`(test_\w+)`", row[3]), row[1]


def test_every_named_test_exists() -> None:
    """A renamed test takes its row with it."""
    sources = [
        path.read_text()
        for path in (ROOT / "tests").rglob("test_*.py")
        if "node_modules" not in path.parts
    ]
    known = set(re.findall(r"def (test_\w+)", "\n".join(sources)))
    named = set(re.findall(r"`(test_\w+)`", page()))
    assert named
    assert named - known == set()


def test_every_named_make_target_and_setting_exists() -> None:
    """What the page tells a reader to do can be done."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", page())) <= targets
    settings = (ROOT / "docs" / "settings.md").read_text() + (ROOT / "README.md").read_text()
    for name in set(re.findall(r"SIDECAR_[A-Z_]+", page())):
        assert name in settings, name


def test_workflow_has_least_rights_and_runs_what_we_run() -> None:
    """Reading is all it may; the same script as on a developer's machine."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yaml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = "\n".join(step["run"] for step in steps if "run" in step)
    for command in (".ci/run", "deploy/docker/build.sh", "deploy/docker/smoke.sh", "make audit"):
        assert command in commands
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 30
    assert "secrets." not in str(workflow)
