"""The kernel's accounting, asked about this very process."""

import os
import subprocess
import sys

import pytest

from tests.bench.accounting import cpu_s, rss_mib, tree


def test_cpu_of_this_process_agrees_with_its_own_clock() -> None:
    """The clock read from outside is the clock that the process has of itself."""
    # In a process of its own: that of the tests may have servers for children.
    program = (
        "import os, time; from tests.bench.accounting import cpu_s;"
        "print(time.process_time(), cpu_s([os.getpid()]), time.process_time())"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    before, read, after = map(float, said.stdout.split())
    assert before <= read <= after


def test_tree_of_a_process_has_its_child() -> None:
    """A child is found below its parent, and ends the walk."""
    command = (sys.executable, "-c", "print(flush=True); input()")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in list(tree([os.getpid()]))
        assert list(tree([child.pid])) == [child.pid]
        assert rss_mib([os.getpid()]) > rss_mib([child.pid]) > 1
        child.communicate(b"\n")


def test_cpu_of_nobody_is_nothing() -> None:
    """A direct call measures no process."""
    assert cpu_s([]) == pytest.approx(0)
