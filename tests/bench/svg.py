"""Pictures by hand: readable on light and on dark ground, with nothing to fetch. Pure."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

# The picture follows the reader's scheme, for GitHub shows it on either ground.
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.quiet { fill: #59636e; font-size: 12px; }
.title { font-size: 15px; font-weight: 600; }
.ours { fill: #0969da; stroke: none; }
.other { fill: #8c959f; stroke: none; }
.pale { opacity: 0.45; }
.axis { stroke: #d1d9e0; fill: none; }
.curve { stroke: #0969da; stroke-width: 2; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .quiet { fill: #9198a1; }
  .ours { fill: #4493f8; }
  .other { fill: #656c76; }
  .axis { stroke: #3d444d; }
  .curve { stroke: #4493f8; }
}
"""


def picture(width: int, height: int, label: str, shapes: Iterable[str]) -> str:
    """Make a whole SVG document; `label` is read to those who cannot see it."""
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
            f'width="{width}" height="{height}" role="img" aria-label="{_attribute(label)}">',
            f"<style>{_STYLE}</style>",
            *shapes,
            "</svg>\n",
        )
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Place words; `anchor` says which end is at `x`."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Draw a bar with slightly rounded corners."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}" rx="2" class="{kind}"/>'
    )


def line(points: Iterable[tuple[float, float]], kind: str) -> str:
    """Draw a line through points."""
    where = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{where}" class="{kind}"/>'


def dot(x: float, y: float, kind: str) -> str:
    """Mark a point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}"/>'


def _attribute(words: str) -> str:
    return escape(words, {'"': "&quot;"})
