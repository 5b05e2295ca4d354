"""This file ties a child to its parent: when the parent goes, however it goes, so does the child.

A supervisor killed by SIGKILL cannot clean up; the kernel can. The leash runs in the child, between
fork and exec, as a program of its own: code between fork and exec in the parent's image would race
the parent's threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>; other systems have no counterpart and go without


def leashed(command: list[str]) -> list[str]:
    """The same command, ended by SIGTERM when the calling process dies. Linux only, else as it was.

    Does not reach what the command starts itself: SIGTERM is how it is told to end those. To the
    kernel the parent is the thread that starts the command, so that must be one that stays.
    """
    if sys.platform != "linux":
        return command
    # -I: this file's folder must not come first on the path, its `token.py` is not Python's.
    return [sys.executable, "-I", __file__, str(os.getpid()), *command]


def main(parent_pid: int, command: list[str]) -> None:
    """Ask the kernel for the signal, then become `command`. Never returns.

    Raises:
        SystemExit: The parent is gone, or `command` cannot be started.

    Source: prctl(2), PR_SET_PDEATHSIG: kept across execve, cleared by fork.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:  # it died before the request: the signal will never come
        sys.exit("the parent is gone already")
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
