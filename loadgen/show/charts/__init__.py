"""The charts of a run: each a function from summary to Figure. The only room that imports matplotlib.

It is a package because the charts fall into several subjects; `CHARTS` is the list that reports and pages go by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import matplotlib
from matplotlib.figure import Figure as Figure

from loadgen.show.charts.amortisation import amortisation, has_curves
from loadgen.show.charts.axes import AXIS_CHARTS
from loadgen.show.charts.cost import extra_time, phases
from loadgen.show.charts.heat import heat_map, is_map
from loadgen.show.charts.latency import over_time, percentiles
from loadgen.show.charts.positions import by_position, has_positions
from loadgen.show.charts.reuse import requests_per_connection, throughput
from loadgen.show.charts.style import MOST_SERIES, STYLE

Summary = dict[str, Any]
_MOST_BARS = 24
_MOST_WATERFALLS = MOST_SERIES - 1


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and whether it says anything of a run."""

    draw: Callable[[Summary], Figure]
    applies: Callable[[Summary], bool]

    def __call__(self, summary: Summary) -> Figure:
        return self.draw(summary)


def _lines(summary: Summary) -> bool:
    return len(summary["policies"]) <= MOST_SERIES


def _bars(summary: Summary) -> bool:
    return len(summary["policies"]) <= _MOST_BARS


def _waterfalls(summary: Summary) -> bool:
    return _lines(summary) and len(summary["comparisons"]) <= _MOST_WATERFALLS


CHARTS: dict[str, Chart] = {
    "amortisation": Chart(amortisation, has_curves),
    **{name: Chart(one.draw, one.applies) for name, one in AXIS_CHARTS.items()},
    "heat_map": Chart(heat_map, is_map),
    "extra_time": Chart(extra_time, _waterfalls),
    "percentiles": Chart(percentiles, _lines),
    "phases": Chart(phases, _bars),
    "throughput": Chart(throughput, _bars),
    "by_position": Chart(by_position, has_positions),
    "over_time": Chart(over_time, _lines),
    "requests_per_connection": Chart(requests_per_connection, _bars),
}

_FORMATS: dict[str, dict[str, Any]] = {"png": {"dpi": 144}, "svg": {"metadata": {"Date": None}}}


def charts_of(summary: Summary) -> list[str]:
    """The names of the charts that say something of this run, in the order of a page."""
    return [name for name, chart in CHARTS.items() if chart.applies(summary)]


def figure(name: str, summary: Summary) -> Figure:
    """Draw one of CHARTS."""
    with matplotlib.rc_context(cast(Any, STYLE)):
        return CHARTS[name](summary)


def draw(name: str, summary: Summary) -> dict[str, bytes]:
    """Draw one of CHARTS: the files' contents by ending, `png` and `svg`."""
    with matplotlib.rc_context(cast(Any, STYLE)):
        figure = CHARTS[name](summary)
        files = {}
        for ending, options in _FORMATS.items():
            buffer = BytesIO()
            figure.savefig(buffer, format=ending, **options)
            files[ending] = buffer.getvalue()
    return files
