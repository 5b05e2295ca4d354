"""The curves: what a request costs the sidecar when something grows. Pure."""

import math
from collections.abc import Iterator

from tests.bench import svg
from tests.bench.results import Points, Results

_PANEL_WIDTH = 240
_PANEL_HEIGHT = 170
_LEFT = 44
_TOP = 40
_BOTTOM = 30
_GAP = 16


def plot(results: Results) -> str:
    """Draw one panel for each curve, all with the same scale of CPU."""
    curves = results.growth
    highest = max((value for points in curves.values() for _, value in points), default=1.0)
    width = max(len(curves), 1) * (_PANEL_WIDTH + _GAP)
    shapes = [
        shape
        for number, (what, points) in enumerate(curves.items())
        for shape in _panel(number * (_PANEL_WIDTH + _GAP), what, points, highest)
    ]
    words = "; ".join(
        f"{what}: {points[0][1]:.0f} to {points[-1][1]:.0f} µs" for what, points in curves.items()
    )
    return svg.picture(
        width, _PANEL_HEIGHT + 10, f"CPU per request when something grows: {words}", shapes
    )


def _panel(left: float, what: str, points: Points, highest: float) -> Iterator[str]:
    floor = _PANEL_HEIGHT - _BOTTOM
    places = [
        (_across(left, points, at), floor - value / highest * (floor - _TOP))
        for at, value in points
    ]
    yield svg.text(left + _LEFT, 18, f"µs per request, by {what}")
    corner = (left + _LEFT, floor)
    yield svg.line([(left + _LEFT, _TOP), corner, (left + _PANEL_WIDTH, floor)], "axis")
    yield svg.text(left + _LEFT - 6, floor, "0", "quiet", "end")
    yield svg.text(left + _LEFT - 6, _TOP + 4, f"{highest:.0f}", "quiet", "end")
    yield svg.line(places, "curve")
    for (at, value), (x, y) in zip(points, places, strict=True):
        yield svg.dot(x, y, "ours")
        yield svg.text(x, y - 8, f"{value:.0f}", "quiet", "middle")
        yield svg.text(x, floor + 16, str(at), "quiet", "middle")


def _across(left: float, points: Points, at: int) -> float:
    # By the logarithm, for the steps are multiples; the margins leave room for the figures.
    low, high = math.log(points[0][0]), math.log(points[-1][0])
    share = (math.log(at) - low) / (high - low) if high > low else 0.5
    return left + _LEFT + 20 + share * (_PANEL_WIDTH - _LEFT - 40)
