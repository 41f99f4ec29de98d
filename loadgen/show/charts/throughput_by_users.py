"""A sweep's throughput against the number of users: where is the knee, with and without reuse?"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import count_axis
from loadgen.show.charts.sweep_lines import Points, SweepLines, draw_points, legend_beside


def _draw_line(axes: Axes, label: str, points: Points, style: dict[str, Any]) -> None:
    rates = [(x, one["throughput_rps"], one["throughput_rps_ci95"]) for x, one in points]
    draw_points(axes, rates, style | {"label": label})


def _scale_values(axes: Axes) -> None:
    axes.set_ylim(0, axes.get_ylim()[1])
    axes.set_ylabel("requests per second")
    count_axis(axes.yaxis)
    legend_beside(axes)


_LINES = SweepLines("Throughput by users", "", "users", "users", "users", _draw_line, _scale_values)
THROUGHPUT_BY_USERS = Chart("throughput_by_users", _LINES.draw, _LINES.applies)
