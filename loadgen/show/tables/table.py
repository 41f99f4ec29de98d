"""What a table is."""

from __future__ import annotations

from typing import NamedTuple

Row = tuple[str, ...]


class Table(NamedTuple):
    """Headings and rows of text. Without rows there is nothing to show, and the headings are left out with them."""

    headings: Row
    rows: list[Row]
