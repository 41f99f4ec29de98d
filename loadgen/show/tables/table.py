"""What a table is."""

from __future__ import annotations

from collections.abc import Container, Mapping, Set
from typing import NamedTuple

Row = tuple[str, ...]


class Table(NamedTuple):
    """Headings and rows of text. Without rows there is nothing to show, and the headings are left out with them."""

    headings: Row
    rows: list[Row]


def filled_columns(columns: Mapping[str, list[str]], always: Container[str], empty: Set[str]) -> Table:
    """A table of those columns that hold more than the texts in `empty`, and of those in `always` in any case."""
    shown = {title: texts for title, texts in columns.items() if title in always or set(texts) - empty}
    return Table(tuple(shown), list(zip(*shown.values(), strict=True)))
