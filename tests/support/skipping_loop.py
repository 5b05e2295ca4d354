"""An event loop whose clock a test can put forward: hours of outage in milliseconds.

Sockets are real and timers fire in their order; only the reading of the clock is shifted.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import ParamSpec

Parameters = ParamSpec("Parameters")
Scene = Callable[Parameters, Coroutine[None, None, None]]


class SkippingLoop(asyncio.SelectorEventLoop):
    """The standard loop with a clock that can be put forward."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped_s = 0.0

    def time(self) -> float:
        """Return the shifted clock, in seconds."""
        return super().time() + self._skipped_s

    def skip(self, seconds: float) -> None:
        """Put the clock forward; timers that become due fire once the loop has its turn."""
        self._skipped_s += seconds


def skip(seconds: float) -> None:
    """Put the running loop's clock forward."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    loop.skip(seconds)


def can_skip_time(scene: Scene[Parameters]) -> Callable[Parameters, None]:
    """Run an asynchronous test on a loop of its own whose clock it may put forward."""

    @functools.wraps(scene)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        with asyncio.Runner(loop_factory=SkippingLoop) as runner:
            runner.run(scene(*args, **kwargs))

    return run
