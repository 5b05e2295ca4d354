"""The bar chart that README shows: CPU per request, peer by peer. Pure."""

from collections.abc import Iterator, Sequence

from tests.bench import svg
from tests.bench.results import SIDECAR, Results

_WIDTH = 720
_LEFT = 130  # room for names
_RIGHT = 60  # room for figures
_TOP = 56
_ROW = 46
_BAR = 16

_SERIES = (("hot", "100 tokens", ""), ("cold", "every token new", " pale"))


def chart(results: Results, peers: Sequence[str]) -> str:
    """Draw two bars for each peer that was measured, the cheapest first."""
    measured = {p: cpu for p in peers if (cpu := results.cpu_us("hot", p)) is not None}
    order = sorted(measured, key=lambda peer: measured[peer])
    height = _TOP + _ROW * len(order) + 10
    words = "; ".join(f"{peer} {measured[peer]:.0f} µs" for peer in order)
    return svg.picture(
        _WIDTH, height, f"CPU per request, 100 tokens: {words}", _shapes(results, order)
    )


def _shapes(results: Results, order: Sequence[str]) -> Iterator[str]:
    yield svg.text(10, 22, "CPU per request, µs (less is better)", "title")
    yield svg.text(10, 42, "upper bar: 100 tokens; lower bar: every token new", "quiet")
    values = [results.cpu_us(workload, p) or 0.0 for workload, *_ in _SERIES for p in order]
    scale = (_WIDTH - _LEFT - _RIGHT) / max(values, default=1.0)
    for number, peer in enumerate(order):
        top = _TOP + _ROW * number
        yield svg.text(_LEFT - 10, top + _BAR + 5, peer, anchor="end")
        kind = "ours" if peer == SIDECAR else "other"
        for place, (workload, _, shade) in enumerate(_SERIES):
            value = results.cpu_us(workload, peer)
            if value is None:
                continue
            y = top + place * (_BAR + 2)
            yield svg.bar(_LEFT, y, value * scale, _BAR, kind + shade)
            yield svg.text(_LEFT + value * scale + 6, y + _BAR - 4, f"{value:.0f}", "quiet")
