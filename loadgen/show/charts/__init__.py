"""The charts of a run, one file each, and the list that reports and pages go by. The only room that imports matplotlib.

Knows no file and no page: a chart is drawn from a summary, and given back as bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, cast

import matplotlib
from matplotlib.figure import Figure as Figure

from loadgen.model.diff_record import DiffRecord
from loadgen.model.history_record import HistoryRecord
from loadgen.model.summary import Summary
from loadgen.show.charts.amortisation import AMORTISATION
from loadgen.show.charts.balance import BALANCE
from loadgen.show.charts.by_position import BY_POSITION
from loadgen.show.charts.change_bars import draw_change_bars
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.extra_time import EXTRA_TIME
from loadgen.show.charts.heat_map import HEAT_MAP
from loadgen.show.charts.history_lines import draw_history_lines
from loadgen.show.charts.latency_by_axis import LATENCY_BY_GAP, LATENCY_BY_RATE, LATENCY_BY_SIZE
from loadgen.show.charts.over_time import OVER_TIME
from loadgen.show.charts.percentiles import PERCENTILES
from loadgen.show.charts.phases import PHASES
from loadgen.show.charts.requests_per_connection import REQUESTS_PER_CONNECTION
from loadgen.show.charts.style import STYLE
from loadgen.show.charts.throughput import THROUGHPUT
from loadgen.show.charts.throughput_by_users import THROUGHPUT_BY_USERS

# In the order of a page. A new chart is a file beside these, and a row here.
_IN_ORDER = (
    AMORTISATION,
    THROUGHPUT_BY_USERS,
    LATENCY_BY_RATE,
    LATENCY_BY_SIZE,
    LATENCY_BY_GAP,
    HEAT_MAP,
    EXTRA_TIME,
    PERCENTILES,
    PHASES,
    THROUGHPUT,
    BY_POSITION,
    BALANCE,
    OVER_TIME,
    REQUESTS_PER_CONNECTION,
)
CHARTS: dict[str, Chart] = {chart.name: chart for chart in _IN_ORDER}

_FORMATS: dict[str, dict[str, Any]] = {"png": {"dpi": 144}, "svg": {"metadata": {"Date": None}}}


def charts_of(summary: Summary) -> list[str]:
    """The names of the charts that say something about this run, in the order of a page."""
    return [name for name, chart in CHARTS.items() if chart.applies(summary)]


def figure(name: str, summary: Summary) -> Figure:
    """Draw one of CHARTS."""
    with matplotlib.rc_context(cast(Any, STYLE)):  # matplotlib's stubs list every key, and miss some
        return CHARTS[name].draw(summary)


def draw(name: str, summary: Summary) -> dict[str, bytes]:
    """Draw one of CHARTS: the files' contents by ending, `png` and `svg`."""
    return _files(lambda: CHARTS[name].draw(summary))


def draw_diff(diff: DiffRecord) -> dict[str, bytes]:
    """The chart of a diff, in the same way."""
    return _files(lambda: draw_change_bars(diff))


def draw_history(history: HistoryRecord) -> dict[str, bytes]:
    """The chart of a history, in the same way."""
    return _files(lambda: draw_history_lines(history))


def _files(draw_figure: Callable[[], Figure]) -> dict[str, bytes]:
    with matplotlib.rc_context(cast(Any, STYLE)):
        drawn = draw_figure()
        files = {}
        for ending, options in _FORMATS.items():
            buffer = BytesIO()
            drawn.savefig(buffer, format=ending, **options)
            files[ending] = buffer.getvalue()
            drawn.set_layout_engine("none")  # the first format's layout serves the other one too
    return files
