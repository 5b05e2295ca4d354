"""How long a dead worker's place stays empty."""

from sidecar.workers.back_off import FIRST_S, LIVED_WELL_S, LONGEST_S, BackOff


def test_waits_double_up_to_the_longest_while_workers_die_young() -> None:
    """A worker that cannot live is never a busy loop, nor forgotten."""
    back_off = BackOff()
    waits = [back_off.after(0.01) for _ in range(8)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_S, LONGEST_S]


def test_wait_is_short_again_after_a_worker_that_lived() -> None:
    """A death once a day is not punished for the one of yesterday."""
    back_off = BackOff()
    for _ in range(8):
        back_off.after(0.01)
    assert back_off.after(LIVED_WELL_S) == FIRST_S
    assert back_off.after(0.01) == 2 * FIRST_S
