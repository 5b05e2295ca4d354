"""Programs that only a benchmark needs: found, installed where that is possible, or named."""

import os
import shutil
import subprocess
import sys

# Debian's package of each program.
PACKAGES = {"wrk": "wrk", "nginx": "nginx-light"}


class ProgramsMissing(Exception):
    """Programs are neither there nor installable; the message names them."""


def require(*names: str) -> None:
    """Make sure that programs can be run, installing Debian packages as root where they cannot.

    Raises:
        ProgramsMissing: Some are not there after all.
    """
    missing = [name for name in names if _path(name) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [PACKAGES[name] for name in missing]
        print(f"installing {', '.join(packages)}", file=sys.stderr)
        command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends"]
        subprocess.run(["apt-get", "update", "--quiet"], capture_output=True, check=False)
        subprocess.run([*command, *packages], capture_output=True, check=False)
    missing = [name for name in names if _path(name) is None]
    if missing:
        raise ProgramsMissing(f"not installed: {', '.join(missing)}")


def path_of(name: str) -> str:
    """Return the path of a program that `require` has found."""
    found = _path(name)
    if found is None:
        raise ProgramsMissing(f"not installed: {name}")
    return found


def _path(name: str) -> str | None:
    # Debian keeps servers in sbin, which is not on everybody's path.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
