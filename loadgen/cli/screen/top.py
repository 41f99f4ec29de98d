"""The top of the live screen: where the run is, how long the rest takes, and what it does now. Knows no terminal."""

from __future__ import annotations

from rich.cells import cell_len

from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.spans import GAP, Line, Span, cropped, width_of
from loadgen.model.characters import visible
from loadgen.model.units import count, plain_number
from loadgen.show.formatting import ABSENT

MAX_POLICIES = 12
"""More rows can't be read while they change. A round of more cells is long, so blocks are counted in its place."""
_MAX_BAR = 24
_ONE_LINE = 100
_TIME_COLUMNS = 30
DIGITS = 3
"""Significant digits of a rate or a ratio."""


def top_lines(progress: RunProgress, width: int) -> list[Line]:
    """One line where it is wide, else two: what has to fit changes, and the number of lines should not."""
    return [cropped(line, width) for line in _lines(progress, width)]


def _lines(progress: RunProgress, width: int) -> list[Line]:
    if not progress.cell:
        return [[Span("checking the target")]]
    place = place_text(progress)
    first = [Span(place, "bold")]
    columns = max(0, min(_MAX_BAR, width - cell_len(place) - _TIME_COLUMNS))
    if progress.share is not None and columns:
        filled = round(progress.share * columns)
        first += [Span(GAP), Span("━" * filled, "rate"), Span("─" * (columns - filled), "dim")]
    first += [Span(GAP), Span(time_text(progress), "dim")]
    second = [Span(f"now {visible(progress.cell)}: {throughput_text(progress.rate_rps)} req/s")]
    if errors := progress.errors.total():
        second.append(Span(f", {count(errors, 'error')}", "error"))
    if width >= _ONE_LINE and width_of(first) + len(GAP) + width_of(second) <= width:
        return [[*first, Span(GAP), *second]]
    return [first, second]


def place_text(progress: RunProgress) -> str:
    """The round, or the block where a round has many."""
    if len(progress.figures.policies) > MAX_POLICIES and progress.aim is None:
        return f"block {min(progress.figures.blocks + 1, progress.blocks)}/{progress.blocks}"
    return progress.place


def time_text(progress: RunProgress) -> str:
    """`0:12, about 0:09 left`."""
    left = progress.left_s
    return _clock(progress.elapsed_s) + ("" if left is None else f", about {_clock(left)} left")


def throughput_text(rate_rps: float | None) -> str:
    """A throughput without its unit; a dash where there is none."""
    return ABSENT if rate_rps is None else plain_number(rate_rps, DIGITS)


def _clock(seconds: float) -> str:
    """`0:07`, `12:30`, `1:02:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
