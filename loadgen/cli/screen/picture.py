"""The live screen of a run as lines of styled text, as wide and high as there is room. Knows no terminal."""

from __future__ import annotations

from loadgen.cli.screen.by_cell import cell_lines
from loadgen.cli.screen.by_round import PolicyTable
from loadgen.cli.screen.ratios import ratio_lines
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.spans import Line, cropped
from loadgen.cli.screen.top import MAX_POLICIES, top_lines


def picture(progress: RunProgress, columns: int, rows: int) -> list[Line]:
    """The screen on a terminal of this size."""
    width, room = sized(columns, rows)
    top = top_lines(progress, width)
    return [*top, *body(progress, width, room - len(top))][:room]


def sized(columns: int, rows: int) -> tuple[int, int]:
    """How wide lines can be on a terminal of this size, and how many there can be.

    A line less than there are, so that what was typed stays in sight; and a column less, because some terminals go on
    at the next line as soon as one is full.
    """
    return max(1, columns - 1), max(1, rows - 1)


def body(progress: RunProgress, width: int, room: int) -> list[Line]:
    """What stands below the head. It changes with `RunProgress.state` only."""
    return [cropped(line, width) for line in _body(progress, width, room)]


def _body(progress: RunProgress, width: int, room: int) -> list[Line]:
    policies = len(progress.figures.policies)
    if policies > min(room - 1, MAX_POLICIES):
        return cell_lines(progress, width, room)
    table = PolicyTable(progress, width)
    ratios = ratio_lines(progress, width, table.name)
    left = room - 1 - policies - len(ratios)
    if left < 0:
        return table.lines(room)
    gap: list[Line] = [[]] if ratios and left else []
    return [*table.lines(room - len(ratios) - len(gap)), *gap, *ratios]
