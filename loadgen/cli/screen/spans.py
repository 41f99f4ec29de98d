"""Lines of styled text, measured in the columns that a terminal gives them. Knows no terminal and no colour."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

GAP = "  "
"""Between columns."""


class Span(NamedTuple):
    """A piece of a line. style: a key of `terminal.STYLES`, or empty."""

    text: str
    style: str = ""


Line = list[Span]


def fitted(text: str, columns: int) -> str:
    """Exactly this wide; what is cut off is marked."""
    return set_cell_size(text, columns) if cell_len(text) <= columns else set_cell_size(text, columns - 1) + "…"


def width_of(line: Line) -> int:
    """How many columns it takes."""
    return sum(cell_len(span.text) for span in line)


def cropped(line: Line, columns: int) -> Line:
    """No wider than this."""
    found: Line = []
    left = columns
    for span in line:
        if left <= 0:
            break
        size = cell_len(span.text)
        found.append(span if size <= left else Span(set_cell_size(span.text, left), span.style))
        left -= size
    return found
