"""A table in as much room as there is: nothing is cut off, and no word or number is broken. Prints nothing itself.

Where a table fits as it is, it has lines. Where it is too wide, its cells go on in lines of their own; where there is
no room for its longest words side by side, its columns go on below, behind those of names. Where that would be
too often, or one column has no room, each row becomes a paragraph.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loadgen.model.characters import visible
from loadgen.show import tables
from loadgen.show.tables.table import Row

_FRAME = 3  # columns that each of a table's columns takes besides its text
_GAP = 2  # between columns without lines
_MAX_BANDS = 4  # tables below each other that are easier to read than paragraphs
_BREAK = re.compile(r"\s+(?!(?:ns|µs|ms|s)\b)")  # a number and its unit stay together
_REMARK = re.compile(r" (?=[\[(])")
_INDENT = "  "


def fit_table(found: tables.Table, title: str, width: int, names: int = 1) -> RenderableType:
    """The table, `width` characters wide. names: columns of names, which stand left and are not broken."""
    headings = found.headings
    rows = [tuple(map(visible, row)) for row in found.rows]
    columns: list[Row] = list(zip(headings, *rows, strict=True))
    natural = [max(map(_line_width, column)) for column in columns]
    heading = Text(visible(title), "italic")
    if sum(natural) + _FRAME * len(columns) < width:
        return Group(heading, _table(headings, rows, natural, names, box.HEAVY_HEAD))
    rows = [(*row[:names], *(_REMARK.sub("\n", cell) for cell in row[names:])) for row in rows]
    columns = list(zip(headings, *rows, strict=True))
    least = [max(map(_word_width, column)) for column in columns]
    wanted = [max(map(_line_width, column)) for column in columns]
    bands = _bands(least, wanted, width, names)
    if not bands:
        return Group(heading, *_paragraphs(headings, found.rows, width, names))
    parts: list[RenderableType] = [heading]
    for band in bands:
        room = width - _width([least[at] for at in band])
        widths = _shared([least[at] for at in band], [wanted[at] for at in band], room)
        shown = [tuple(row[at] for at in band) for row in (headings, *rows)]
        parts += [*([""] if len(parts) > 1 else []), _table(shown[0], shown[1:], widths, names, box.SIMPLE_HEAD)]
    return Group(*parts)


def _line_width(cell: str) -> int:
    return max(map(len, cell.split("\n")))


def _word_width(cell: str) -> int:
    return max(map(len, _BREAK.split(cell)))


def _bands(least: Sequence[int], wanted: Sequence[int], width: int, names: int) -> list[list[int]]:
    """Which columns stand side by side, those of names first in each band; empty where that is no way to show them.

    One band, if the longest words fit; of more, each has as many columns as fit without a line that is broken.
    """
    if _width(least) <= width:
        return [list(range(len(least)))]
    named = list(range(names))
    bands: list[list[int]] = []
    for at in range(names, len(least)):
        if _width([least[one] for one in (*named, at)]) > width:
            return []
        if bands and _width([wanted[one] for one in (*bands[-1], at)]) <= width:
            bands[-1].append(at)
        else:
            bands.append([*named, at])
    return bands if len(bands) <= _MAX_BANDS else []


def _width(columns: Sequence[int]) -> int:
    """Of columns side by side."""
    return sum(columns) + _GAP * (len(columns) - 1)


def _shared(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Each column's width: the least one, and of the room that is left as much as it wants, from left to right."""
    widths = []
    for least_width, wanted_width in zip(least, wanted, strict=True):
        more = min(room, wanted_width - least_width)
        widths.append(least_width + more)
        room -= more
    return widths


def _table(headings: Row, rows: Sequence[Row], widths: Sequence[int], names: int, frame: box.Box) -> Table:
    # Where room is short, numbers need it more than lines do.
    close = {} if frame is box.HEAVY_HEAD else {"show_edge": False, "padding": (0, 1, 0, 0), "pad_edge": False}
    table = Table(box=frame, **close)  # type: ignore[arg-type] # options of several types
    for number, (heading, column_width) in enumerate(zip(headings, widths, strict=True)):
        table.add_column(heading, width=column_width, justify="left" if number < names else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _paragraphs(headings: Row, rows: Sequence[Row], width: int, names: int) -> list[Text]:
    """A row as its name, and below that each heading with its value."""
    lines = []
    for row in rows:
        lines.append(Text(visible(" ".join(row[:names])), "bold"))
        pairs = [f"{heading}: {visible(cell)}" for heading, cell in zip(headings[names:], row[names:], strict=True)]
        lines += map(Text, wrapped("; ".join(pairs), width, keep=pairs, indent=_INDENT))
    return lines


def wrapped(text: str, width: int, *, keep: Sequence[str] = (), indent: str = "") -> list[str]:
    """Lines of whole words. keep: parts of the text that stay on one line, where that is long enough."""
    for part in keep:
        if len(part) + len(indent) < width:
            text = text.replace(part, part.replace(" ", "\xa0"))
    lines = textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\xa0", " ") for line in lines]
