"""A run of more cells than there is room for: charts over all of them, and those that ended last. Knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from loadgen.cli.screen.by_round import MAX_CHART
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.spans import GAP, Line, Span, fitted
from loadgen.cli.screen.top import throughput_text
from loadgen.measure.stats.precision import half_width
from loadgen.model.characters import visible
from loadgen.model.units import margin_text
from loadgen.show.formatting import duration
from loadgen.show.sparkline import bars, condensed

_MAX_LAST = 5
_TITLE = 5


def cell_lines(progress: RunProgress, width: int, room: int) -> list[Line]:
    """At most this many lines."""
    found = [*_charts(progress, width), *_intervals(progress)]
    last = _last(progress, width, min(_MAX_LAST, room - len(found) - 1))
    return [*found, *last][: max(0, room)]


def _charts(progress: RunProgress, width: int) -> list[Line]:
    """Over the cells in the order of the plan, each with the range of its values."""
    policies = list(progress.figures.policies.values())
    rates: list[float | None] = [one.throughput_rps for one in policies]
    p50s: list[float | None] = [one.p50_ns for one in policies]
    ranges = [
        _range([throughput_text(value) for value in _ends(rates)]),
        _range([duration(value) for value in _ends(p50s)]),
    ]
    columns = min(MAX_CHART, width - _TITLE - 2 * len(GAP) - max(map(len, ranges)))
    if columns < 1:
        return []
    found: list[Line] = [[Span(" " * _TITLE + GAP + "by cell, in the order of the plan", "dim")]]
    for title, style, values, said in zip(("req/s", "p50"), ("rate", "p50"), (rates, p50s), ranges, strict=True):
        shown = condensed(values, len(values), columns)
        (chart,) = bars(shown, columns, max((value for value in shown if value), default=0))
        found.append([Span(f"{title:<{_TITLE}}{GAP}", "dim"), Span(f"{chart:<{columns}}", style), Span(GAP + said)])
    return found


def _intervals(progress: RunProgress) -> list[Line]:
    widths = [half_width(one.interval) for one in progress.figures.ratios if one.interval is not None]
    if not widths:
        return []
    known = _range([margin_text(value) for value in (min(widths), max(widths))])
    return [[Span(f"ratios of mean latencies are known within {known}")]]


def _last(progress: RunProgress, width: int, number: int) -> list[Line]:
    """The cells whose blocks ended last, the latest one first."""
    policies = progress.figures.policies
    names = progress.figures.last[::-1][: max(0, number)]
    if not names:
        return []
    rows = [(throughput_text(policies[name].throughput_rps), duration(policies[name].p50_ns)) for name in names]
    rate, p50 = (max(map(len, column)) for column in zip(*rows, strict=True))
    numbers = [f"{GAP}{first:>{rate}} req/s{GAP}{second:>{p50}}" for first, second in rows]
    columns = max(4, min(width - len(numbers[0]), max(cell_len(visible(name)) for name in names)))
    found = [[Span(fitted(visible(name), columns)), Span(text)] for name, text in zip(names, numbers, strict=True)]
    return [[Span("ended last", "dim")], *found]


def _ends(values: Sequence[float | None]) -> list[float]:
    known = [value for value in values if value is not None]
    return [min(known), max(known)] if known else []


def _range(texts: Sequence[str]) -> str:
    """`2 to 5`; `2` where both are the same."""
    return " to ".join(dict.fromkeys(texts))
