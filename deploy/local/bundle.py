"""This file keeps `frontend/dist` as new as what it is made of; it serves nothing."""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Everything a build reads. Folders count too: a removed file changes the time of its folder.
SOURCES = ("index.html", "package-lock.json", "*.config.ts", "budget.ts", "public", "src")
VITE = "node_modules/vite/bin/vite.js"
DRAFT = "node_modules/.dist"
LOCK = "node_modules/.dist.lock"
BUILD_TIMEOUT_S = 120.0  # it takes 2 s; this is for a loaded CI machine


class BundleError(Exception):
    """The frontend cannot be built."""


def ensure_built(frontend: Path) -> str:
    """Build `frontend/dist` if it is missing or older than its sources.

    Two demos that start at once build it once, and nobody ever sees half of it.

    Returns:
        What the build said, empty if none was needed.

    Raises:
        BundleError: Node or the packages are missing, or the build failed.
    """
    if not (frontend / VITE).exists():
        raise BundleError("the packages of the frontend are not installed; run: make setup")
    with (frontend / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build(frontend) if _is_stale(frontend) else ""


def _is_stale(frontend: Path) -> bool:
    built = frontend / "dist" / "index.html"
    if not built.exists():
        return True
    return any(path.stat().st_mtime > built.stat().st_mtime for path in _sources(frontend))


def _sources(frontend: Path) -> Iterator[Path]:
    for pattern in SOURCES:
        for path in frontend.glob(pattern):
            yield path
            yield from path.rglob("*")


def _build(frontend: Path) -> str:
    command = ("node", VITE, "build", "--outDir", DRAFT, "--emptyOutDir")
    try:
        built = subprocess.run(
            command,
            cwd=frontend,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=True,
        )
    except FileNotFoundError as error:
        raise BundleError("Node is needed to build the frontend, and there is none") from error
    except subprocess.TimeoutExpired as error:
        raise BundleError("the frontend was not built in time") from error
    except subprocess.CalledProcessError as error:
        raise BundleError(f"the frontend does not build:\n{error.stdout}{error.stderr}") from error
    _replace(frontend / DRAFT, frontend / "dist")
    return built.stdout


def _replace(draft: Path, dist: Path) -> None:
    old = draft.with_name(".dist.old")
    shutil.rmtree(old, ignore_errors=True)
    if dist.exists():
        dist.rename(old)
    draft.rename(dist)
    shutil.rmtree(old, ignore_errors=True)
