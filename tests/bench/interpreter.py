"""Which Python runs the Python programs of a run: the fastest here that can use our packages.

An interpreter built without profile-guided optimisation, as version managers build it, takes a
third longer for everything; the sidecar's image has an optimised one, and so have distributions.
"""

import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

_DISTRIBUTION = Path("/usr/bin/python3")

# Says its version and how long it takes for something ordinary, at best of seven.
_TRIAL = """
import platform, timeit
work = "for n in range(2000): d = {'a': n}; x = len(str(d['a']))"
print(platform.python_version(), min(timeit.repeat(work, number=50, repeat=7)))
"""
_TRIAL_S = 60


@cache
def python() -> str:
    """Return the path of the interpreter."""
    ours, theirs = _try(sys.executable), _try(str(_DISTRIBUTION))
    if ours is None or theirs is None or _minor(ours[0]) != _minor(theirs[0]):
        return sys.executable
    return str(_DISTRIBUTION) if theirs[1] < ours[1] else sys.executable


def packages() -> dict[str, str]:
    """Return the environment in which it finds the packages of ours."""
    if python() == sys.executable:
        return {}
    return {"PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONDONTWRITEBYTECODE": "1"}


def describe() -> str:
    """Say which it is, and why."""
    chosen, ours = _try(python()), _try(sys.executable)
    assert chosen is not None
    assert ours is not None
    said = f"Python programs run on {python()}, {chosen[0]}"
    if python() == sys.executable:
        return said
    return f"{said}, which takes {chosen[1] / ours[1]:.2f} times what {sys.executable} takes"


@cache
def _try(program: str) -> tuple[str, float] | None:
    try:
        done = subprocess.run(
            (program, "-I", "-c", _TRIAL),
            capture_output=True,
            text=True,
            check=True,
            timeout=_TRIAL_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version, taken_s = done.stdout.split()
    return version, float(taken_s)


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
