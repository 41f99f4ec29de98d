"""A table at any width: nothing is cut off, and neither a word nor a number with its unit is broken."""

from __future__ import annotations

import pytest
from rich.console import Console

from loadgen.cli.fitted_table import fit_table, wrapped
from loadgen.show.tables import Table

FOUND = Table(
    ("policy", "mean", "connections"),
    [("recycle:10+gap:2s", "1.15 ms [1.05, 1.26]", "opened 1,903 (ideal 5)"), ("close", "9 µs [8, 10]", "opened 7")],
)


def shown(width: int) -> list[str]:
    console = Console(width=width, force_terminal=True, color_system=None, markup=False)
    with console.capture() as captured:
        console.print(fit_table(FOUND, "GET http://h/", width))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("width", [120, 80, 60, 52, 45, 38, 30, 24])
def test_every_word_is_whole(width: int) -> None:
    lines = shown(width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for word in ("recycle:10+gap:2s", "1.15 ms", "[1.05,", "1.26]", "connections", "opened", "1,903", "9 µs", "close"):
        assert word in text
    assert lines[0] == "GET http://h/"


def test_a_table_has_lines_where_it_fits_and_is_paragraphs_where_no_column_does() -> None:
    assert any("┃ policy" in line for line in shown(80))
    assert shown(52)[1].split() == ["policy", "mean", "connections"]
    assert shown(24)[1:3] == ["recycle:10+gap:2s", "  mean: 1.15 ms [1.05,"]


def test_columns_go_on_below_where_they_can_not_stand_side_by_side() -> None:
    assert [line for line in shown(38)[1:] if not line.startswith("─")] == [
        "policy                     mean",
        "recycle:10+gap:2s       1.15 ms",
        "                   [1.05, 1.26]",
        "close                      9 µs",
        "                        [8, 10]",
        "",
        "policy              connections",
        "recycle:10+gap:2s  opened 1,903",
        "                      (ideal 5)",
        "close                  opened 7",
    ]


def test_parts_stay_on_a_line_where_it_is_long_enough() -> None:
    assert wrapped("a: 1 2; b: 3 4", 9, keep=("a: 1 2", "b: 3 4")) == ["a: 1 2;", "b: 3 4"]
    assert wrapped("a: 1 2; b: 3 4", 12) == ["a: 1 2; b: 3", "4"]
