"""The charts of a run: each a function from summary to Figure. The only room that imports matplotlib.

It is a package because the charts fall into three subjects; `CHARTS` is the list that reports and pages go by.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, cast

import matplotlib
from matplotlib.figure import Figure

from loadgen.show.charts.cost import extra_time, phases
from loadgen.show.charts.latency import over_time, percentiles
from loadgen.show.charts.reuse import requests_per_connection, throughput
from loadgen.show.charts.style import STYLE

CHARTS: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "extra_time": extra_time,
    "percentiles": percentiles,
    "phases": phases,
    "throughput": throughput,
    "over_time": over_time,
    "requests_per_connection": requests_per_connection,
}

_FORMATS: dict[str, dict[str, Any]] = {"png": {"dpi": 144}, "svg": {"metadata": {"Date": None}}}


def draw(name: str, summary: dict[str, Any]) -> dict[str, bytes]:
    """Draw one of CHARTS: the files' contents by ending, `png` and `svg`."""
    with matplotlib.rc_context(cast(Any, STYLE)):
        figure = CHARTS[name](summary)
        files = {}
        for ending, options in _FORMATS.items():
            buffer = BytesIO()
            figure.savefig(buffer, format=ending, **options)
            files[ending] = buffer.getvalue()
    return files
