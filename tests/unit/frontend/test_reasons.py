import re
from collections.abc import Iterator
from pathlib import Path

from sidecar.errors import SidecarError

FRONTEND = Path(__file__).parents[3] / "frontend" / "src" / "api" / "problem.ts"


def leaves(error: type[SidecarError]) -> Iterator[type[SidecarError]]:
    yield error
    for child in error.__subclasses__():
        yield from leaves(child)


def test_app_knows_every_reason_of_the_sidecar() -> None:
    """A reason the app has no words for would be shown as a failure without a cause."""
    text = FRONTEND.read_text(encoding="utf-8")
    known = text.partition("SIDECAR_REASONS = [")[2].partition("]")[0]
    raised = {error.reason for error in leaves(SidecarError) if hasattr(error, "reason")}
    assert raised == set(re.findall(r'"(\w+)"', known))
