import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local.bundle import VITE, BundleError, ensure_built

# Stands in for Vite: notes each build and writes what was asked for, where it was asked for.
BUILDER = """
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
const draft = process.argv[process.argv.indexOf("--outDir") + 1];
const source = readFileSync("src/main.tsx", "utf8");
if (source === "broken") { console.log("main.tsx does not parse"); process.exit(1); }
mkdirSync(draft, { recursive: true });
writeFileSync(`${draft}/index.html`, source);
appendFileSync("builds.json", JSON.stringify(process.argv.slice(2)) + "\\n");
console.log("first page: 1 KiB");
"""


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    """A frontend whose packages are installed and which was never built."""
    for name, text in {VITE: BUILDER, "src/main.tsx": "one", "index.html": "page"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def builds(frontend: Path) -> list[list[str]]:
    return [json.loads(line) for line in (frontend / "builds.json").read_text().splitlines()]


def change(path: Path, text: str) -> None:
    """Write later than the build, even where a clock ticks once a second."""
    path.write_text(text)
    later = path.stat().st_mtime + 5
    os.utime(path, (later, later))


def test_missing_bundle_is_built_and_the_next_start_builds_nothing(frontend: Path) -> None:
    """The second start of a demo pays nothing for the frontend."""
    assert ensure_built(frontend) == "first page: 1 KiB\n"
    assert (frontend / "dist" / "index.html").read_text() == "one"
    assert ensure_built(frontend) == ""
    assert len(builds(frontend)) == 1


@pytest.mark.parametrize("name", ["src/main.tsx", "src/new.css", "package-lock.json"])
def test_changed_source_is_built_again(frontend: Path, name: str) -> None:
    """Changed or new, in a folder or beside it: what is served follows."""
    ensure_built(frontend)
    change(frontend / name, "two")
    assert ensure_built(frontend)
    expected = "two" if name == "src/main.tsx" else "one"
    assert (frontend / "dist" / "index.html").read_text() == expected


def test_build_that_fails_is_told_and_keeps_what_was_there(frontend: Path) -> None:
    """The error has the builder's own words; the last good bundle stays."""
    ensure_built(frontend)
    change(frontend / "src" / "main.tsx", "broken")
    with pytest.raises(BundleError, match=r"does not build:\nmain\.tsx does not parse"):
        ensure_built(frontend)
    assert (frontend / "dist" / "index.html").read_text() == "one"


def test_missing_packages_say_what_to_run(tmp_path: Path) -> None:
    """Before `make setup` there is nothing to build with."""
    with pytest.raises(BundleError, match="make setup"):
        ensure_built(tmp_path)


def test_missing_node_is_named(frontend: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Node gets a sentence, not a traceback."""
    monkeypatch.setenv("PATH", str(frontend))
    with pytest.raises(BundleError, match="Node is needed"):
        ensure_built(frontend)


def test_two_demos_at_once_build_once(frontend: Path) -> None:
    """The second waits for the first and finds it done."""
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(ensure_built, [frontend, frontend]))
    assert sorted(map(bool, told)) == [False, True]
    assert len(builds(frontend)) == 1
