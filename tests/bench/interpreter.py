"""Which Python runs the Python programs of a run: the fastest here that can use our packages.

An interpreter built without profile-guided optimisation, as version managers build it, takes a
third longer for everything; the sidecar's image has an optimised one, and so have distributions.
"""

import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_DISTRIBUTION = Path("/usr/bin/python3")

# Says its version and how long it takes for something ordinary, at best of many times.
_TRIAL = """
import platform, timeit
work = "for n in range(2000): d = {'a': n}; x = len(str(d['a']))"
print(platform.python_version(), min(timeit.repeat(work, number=5, repeat=60)))
"""
_TRIAL_S = 60
_TRIALS = 3  # by turns, so that a busy moment is nobody's disadvantage


@cache
def python() -> str:
    """Return the path of the interpreter."""
    ours, theirs = _compared()
    if theirs is None or _minor(ours[0]) != _minor(theirs[0]):
        return sys.executable
    return str(_DISTRIBUTION) if theirs[1] < ours[1] else sys.executable


def packages() -> dict[str, str]:
    """Return the environment in which it finds the packages of ours."""
    if python() == sys.executable:
        return {}
    return {"PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONDONTWRITEBYTECODE": "1"}


def describe() -> str:
    """Say which it is, and why."""
    ours, theirs = _compared()
    if python() == sys.executable or theirs is None:
        return f"Python programs run on Python {ours[0]}"
    ratio = f"which takes {theirs[1] / ours[1]:.2f} times what this environment's {ours[0]} takes"
    return f"Python programs run on {_DISTRIBUTION}, {theirs[0]}, {ratio}"


@cache
def _compared() -> tuple[tuple[str, float], tuple[str, float] | None]:
    trials = [(_try(sys.executable), _try(str(_DISTRIBUTION))) for _ in range(_TRIALS)]
    ours, theirs = (_best(tried) for tried in zip(*trials, strict=True))
    assert ours is not None  # it runs us
    return ours, theirs


def _best(tried: Sequence[tuple[str, float] | None]) -> tuple[str, float] | None:
    done = [result for result in tried if result is not None]
    return min(done, key=lambda result: result[1], default=None)


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
