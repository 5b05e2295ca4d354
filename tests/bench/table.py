"""A table, for the terminal and as Markdown. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first column names the row.

    Attributes:
        title: What it is about.
        header: Of each column.
        rows: As many cells as the header has.
        notes: Said below.
    """

    title: str
    header: Row
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())

    def as_text(self) -> str:
        """Word it for a terminal: first column left, all others right."""
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [_line(row, widths) for row in (self.header, *self.rows)]
        return "\n".join((self.title, *(f"  {line}" for line in lines), *_indent(self.notes)))

    def as_markdown(self) -> str:
        """Word it as Markdown."""
        ruler = ("---", *("---:" for _ in self.header[1:]))
        lines = [f"| {' | '.join(row)} |" for row in (self.header, ruler, *self.rows)]
        notes = ["", *(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n".join((f"## {self.title}", "", *lines, *notes))


def _line(row: Row, widths: Sequence[int]) -> str:
    cells = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join((f"{row[0]:<{widths[0]}}", *cells))


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
