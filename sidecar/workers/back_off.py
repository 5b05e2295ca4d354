"""How long to wait before a dead worker is replaced. Pure: it is told how long the worker lived."""

FIRST_S = 0.1
"""A single death costs next to nothing; with no wait, one that cannot live is a busy loop."""

LONGEST_S = 5.0
"""What is mended outside is noticed within this time."""

LIVED_WELL_S = 30.0
"""Who lived so long did not die of its start: the next death is a first one again."""


class BackOff:
    """Waits longer after each death in a row. A class because it counts them."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def after(self, lived_s: float) -> float:
        """Return how long to wait after a worker that lived for `lived_s` seconds."""
        wait_s = FIRST_S if lived_s >= LIVED_WELL_S else self._next_s
        self._next_s = min(2 * wait_s, LONGEST_S)
        return wait_s
