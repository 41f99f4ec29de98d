"""Throughput and p50 of each policy with a small chart of its rounds. Knows no terminal.

Charts of the same kind have the same scale, from 0 to the highest value of all policies.
"""

from __future__ import annotations

from itertools import zip_longest

from rich.cells import cell_len

from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.spans import GAP, Line, Span, fitted
from loadgen.cli.screen.top import throughput_text
from loadgen.measure.live.live_figures import PolicyFigures
from loadgen.model.characters import visible
from loadgen.model.units import count
from loadgen.show.formatting import duration
from loadgen.show.sparkline import bars

MIN_CHART = 6
"""Columns below which a chart says nothing."""
MAX_CHART = 60
_MAX_CHART_LINES = 3
_RATE, _P50 = "req/s", "p50"


class PolicyTable:
    """A row a policy. width: of a line."""

    def __init__(self, progress: RunProgress, width: int) -> None:
        self._progress = progress
        self._policies = progress.figures.policies
        self._width = width
        every = list(self._policies.values())
        self.name = min(max(cell_len(visible(name)) for name in self._policies), max(10, width // 4))
        """Columns of a name."""
        self._rate = max(len(_RATE), *(len(throughput_text(one.throughput_rps)) for one in every))
        self._p50 = max(len(_P50), *(len(duration(one.p50_ns)) for one in every))
        self._errors = max((len(count(number, "error")) for number in progress.errors.values() if number), default=0)
        numbers = self.name + self._rate + self._p50 + 4 * len(GAP)
        numbers += self._errors + len(GAP) if self._errors else 0
        self._chart = min(MAX_CHART, (width - numbers) // 2)
        self._has_charts = self._chart >= MIN_CHART
        self._top_rps = max((value for one in every for value in one.rates_rps if value), default=0)
        self._top_ns = max((value for one in every for value in one.p50s_ns if value), default=0)
        self._places = progress.max_rounds if progress.aim is None else 0

    def lines(self, room: int) -> list[Line]:
        """At most this many lines; there is room for a heading and a line a policy."""
        spare = room - 1 - len(self._policies)
        if not self._has_charts:
            below = spare >= len(self._policies)
            rows = [[*self._row(name, one, 1), *self._below(one, below)] for name, one in self._policies.items()]
            return [self._heading(), *(line for row in rows for line in row)]
        # Higher charts have a line between them.
        high = [lines for lines in range(2, _MAX_CHART_LINES + 1) if lines * len(self._policies) <= spare + 1]
        height = max(high, default=1)
        found = [self._heading()]
        for place, (name, one) in enumerate(self._policies.items()):
            found += [[]] if place and height > 1 else []
            found += self._row(name, one, height)
        return found

    def _heading(self) -> Line:
        if not self._has_charts:
            return [Span(" " * self.name + f"{GAP}{_RATE:>{self._rate}}{GAP}{_P50:>{self._p50}}", "dim")]
        over = "by round"
        left = f"{' ' * self.name}{GAP}{_RATE:>{self._rate}}{GAP}{over:<{self._chart}}"
        return [Span(f"{left}{GAP}{_P50:>{self._p50}}{GAP}{over}", "dim")]

    def _row(self, name: str, one: PolicyFigures, height: int) -> list[Line]:
        """Numbers stand beside the lowest line of the charts."""
        errors = self._progress.errors[name]
        texts = (
            Span(fitted(visible(name), self.name), "bold" if name == self._progress.cell else ""),
            Span(GAP + f"{throughput_text(one.throughput_rps):>{self._rate}}"),
            Span(GAP + f"{duration(one.p50_ns):>{self._p50}}"),
            Span(GAP + count(errors, "error") if errors else "", "error"),
        )
        if not self._has_charts:
            return [list(texts)]
        blank = tuple(Span(" " * cell_len(span.text)) for span in texts)
        rates, p50s = self._charts(one, self._chart, height)
        found: list[Line] = []
        for place, (rate, p50) in enumerate(zip_longest(rates, p50s), 1):
            title, first, second, failed = texts if place == height else blank
            charts = [Span(f"{GAP}{chart:<{self._chart}}", style) for chart, style in ((rate, "rate"), (p50, "p50"))]
            found.append([title, first, charts[0], second, charts[1], failed])
        return found

    def _below(self, one: PolicyFigures, has_room: bool) -> list[Line]:
        """Both charts on a line of their own, where there is no room beside the numbers."""
        columns = (self._width - 2 * len(GAP)) // 2
        if not has_room or columns < MIN_CHART:
            return []
        (rates,), (p50s,) = self._charts(one, columns, 1)
        return [[Span(f"{GAP}{rates:<{columns}}", "rate"), Span(GAP + p50s, "p50")]]

    def _charts(self, one: PolicyFigures, columns: int, height: int) -> tuple[list[str], list[str]]:
        return (
            bars(one.rates_rps, columns, self._top_rps, places=self._places, lines=height),
            bars(one.p50s_ns, columns, self._top_ns, places=self._places, lines=height),
        )
