"""A pipe that several processes write to at once."""

import os
import subprocess
import sys
from itertools import groupby

from sidecar.workers.output import SharedOutput, make_lock

WRITER = """
import sys
from sidecar.workers.output import SharedOutput
out = SharedOutput(1, int(sys.argv[1]))
sys.stderr.write("r")
sys.stderr.flush()
for _ in range(40):
    out.write((sys.argv[2] * 99 + "\\n") * 400)
"""


def read_slowly(descriptor: int) -> bytes:
    """Read to the end in small pieces, so that writers wait for room again and again."""
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        return b"".join(iter(lambda: pipe.read(4096), b""))


def test_texts_of_several_writers_come_whole_one_after_the_other() -> None:
    """40 000 bytes are ten times what a pipe takes in one piece."""
    lock = make_lock()
    read, write = os.pipe()
    is_ready, say_ready = os.pipe()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(lock), letter],
            stdout=write,
            stderr=say_ready,
            pass_fds=(lock,),
        )
        for letter in "abc"
    ]
    os.close(write)
    for _ in writers:  # nobody reads before all of them wait for room in the pipe
        assert os.read(is_ready, 1) == b"r"
    lines = read_slowly(read).decode().splitlines()
    assert [writer.wait(10) for writer in writers] == [0, 0, 0]
    for descriptor in (lock, is_ready, say_ready):
        os.close(descriptor)
    assert {len(set(line)) for line in lines} == {1}
    assert {len(line) for line in lines} == {99}
    runs = [len(list(run)) for _, run in groupby(lines)]
    assert sum(runs) == 3 * 40 * 400
    assert all(run % 400 == 0 for run in runs)


HOLDER = """
import fcntl, os, signal, sys
fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_lock_dies_with_its_holder() -> None:
    """A killed worker must not silence the others."""
    lock = make_lock()
    read, write = os.pipe()
    killed = subprocess.run(
        [sys.executable, "-c", HOLDER, str(lock)], pass_fds=(lock,), check=False, timeout=10
    )
    assert killed.returncode == -9
    assert SharedOutput(write, lock).write("said\n") == 5
    assert os.read(read, 100) == b"said\n"
    for descriptor in (lock, read, write):
        os.close(descriptor)
