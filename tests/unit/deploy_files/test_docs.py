"""The pages about deployment: links lead somewhere, commands are run by a test or say why not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "SECURITY.md"] + [
    ROOT / "docs" / f"{name}.md"
    for name in ("deploy", "kubernetes", "ecs", "wsgi", "envoy", "compare")
]
MARK = re.compile(r"<!-- (?:run by (?P<test>\S+?)[, ]|not run)")


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_command_is_run_by_a_test_or_says_why_not(page: Path) -> None:
    """The line before a block of commands is a comment that says so."""
    lines = page.read_text().splitlines()
    for number, line in enumerate(lines):
        if line == "```sh":
            mark = MARK.match(lines[number - 1])
            assert mark, f"{page.name}:{number + 1}"
            assert mark["test"] is None or (ROOT / mark["test"]).exists(), mark["test"]


def test_every_link_and_path_leads_somewhere(page: Path) -> None:
    """Files that are linked to, and files that are named."""
    text = page.read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target
    for name in re.findall(r"(?:deploy|tests|docs|backend)/[\w./-]*\w\.(?:py|ya?ml|sh|md)", text):
        assert (ROOT / name).exists(), name
