"""Starting a program on one core, and ending it whatever happens."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import until

ROOT = Path(__file__).parents[2]
MEASURED_CPU = 0
OTHER_CPU = 1

_STOP_S = 15  # longer than any measured program drains


class DidNotStart(Exception):
    """A program ended, or does not listen; the message has the end of what it wrote."""


@dataclass(frozen=True)
class Command:
    """What to run.

    Attributes:
        argv: Program and arguments.
        environment: Added to our own.
        has_log_lines: It writes a line per request to its standard output. They go into a pipe that
            is read on the other core, as a container runtime does; a file would grow to gigabytes.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    has_log_lines: bool = False


@contextmanager
def listening(
    command: Command, is_there: Callable[[], bool], cpus: int | str, log: Path
) -> Iterator[int]:
    """Run a program pinned to cores until the block is left; gives its pid once it `is_there`.

    Raises:
        DidNotStart: It ends, or is not there in time.
    """
    with ExitStack() as stack:
        errors = stack.enter_context(log.open("ab"))
        output = stack.enter_context(_drain()) if command.has_log_lines else errors.fileno()
        process = subprocess.Popen(
            ("taskset", "--cpu-list", str(cpus), *command.argv),
            env={**os.environ, **command.environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        stack.callback(_stop, process)
        try:
            until(is_there, process)
        except AssertionError as error:
            raise DidNotStart(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error
        yield process.pid


@contextmanager
def _drain() -> Iterator[int]:
    # `cat` ends by itself when the last writer of the pipe has ended.
    command = ("taskset", "--cpu-list", str(OTHER_CPU), "cat")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin is not None
        yield reader.stdin.fileno()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def accepts(port: int) -> bool:
    """Tell whether someone accepts connections at a port of loopback."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
