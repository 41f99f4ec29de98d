"""What single charts show of a run, and how its numbers are written on axes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from loadgen.model.units import plain_number
from loadgen.show.charts import CHARTS
from loadgen.show.formatting import load_text
from tests.support.synthetic import (
    MS,
    US,
    WINDOW_NS,
    Exchange,
    Link,
    RunWriter,
    full_run,
    persistent_links,
    plan_json,
    sweep_plan,
    sweep_run,
)

REFUSED = Link([Exchange(send=ABSENT, wait=ABSENT, receive=ABSENT, outcome=-ErrorKind.CONNECT_REFUSED)], flags=0)


def drawn(name: str, summary: dict[str, Any]) -> tuple[Figure, list[Axes]]:
    figure = CHARTS[name].draw(summary)
    figure.draw_without_rendering()
    return figure, figure.axes


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def subtitle(figure: Figure) -> str:
    return figure.texts[1].get_text()


def test_blocks_without_answers_stand_at_zero(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 3))
    for number in range(3):
        writer.block("persistent", number, persistent_links(number) if number < 2 else [REFUSED])
    _, (above, below) = drawn("over_time", writer.summary())
    assert list(above.lines[0].get_ydata()) == pytest.approx([100 / (WINDOW_NS / 1e9)] * 2 + [0])
    assert above.get_ylim()[0] < 0, "a marker on the axis is not cut in half"
    p50, p99 = (list(line.get_ydata()) for line in below.lines)
    assert [math.isnan(value) for value in p50] == [math.isnan(value) for value in p99] == [False, False, True]


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (1_000_000, 6, "1,000,000"), (1e6, 6, "1,000,000"), (12_345_678, 6, "12,345,678"), (0.25, 6, "0.25"),
        (0, 6, "0"),
        (100_000, 6, "100,000"), (99_999.5, 6, "99,999.5"), (10_000, 4, "10,000"), (7_674.4, 4, "7,674"),
        (2.5, 4, "2.5"),
    ],
)  # fmt: skip
def test_large_numbers_have_all_their_digits(value: float, digits: int, written: str) -> None:
    assert plain_number(value, digits) == written


def test_an_axis_of_a_million_is_written_out(tmp_path: Path) -> None:
    plan = sweep_plan(size=(10, 1_000, 1_000_000), url="http://h/{size}")
    _, (axes, *_) = drawn("latency_by_size", sweep_run(tmp_path / "run", plan).summary())
    assert ticks(axes.xaxis) == ["10", "1,000", "1,000,000"]


def test_a_rate_of_a_million_is_written_out() -> None:
    assert load_text(plan_json(rate_rps=1e6)) == "1,000,000 arrivals/s (constant)"


def test_what_is_said_of_the_loop_is_true_of_a_sweep(tmp_path: Path) -> None:
    summary = sweep_run(tmp_path / "run", sweep_plan(users=(1, 5))).summary()
    said = subtitle(drawn("throughput", summary)[0])
    assert said.startswith("Closed loop: a user sends again as soon as it is answered.")
    summary["plan"]["think_ns"] = 1_500 * MS
    assert "again 1.50 s after it is answered" in subtitle(drawn("throughput", summary)[0])
    summary["plan"]["axes"]["rate"] = [5.0]
    assert subtitle(drawn("throughput", summary)[0]).startswith("Open loop")


def test_an_interval_far_longer_than_the_bars_is_cut_off(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run", rounds=2).summary()
    for one in summary["policies"].values():
        one.update(throughput_rps=100.0, throughput_rps_ci95=[90.0, 1e6])
    _, (axes,) = drawn("throughput", summary)
    assert axes.get_xlim()[1] < 500
    assert {tuple(map(float, line.get_xdata())) for line in axes.lines} == {(90.0, 300.0), (90.0,)}  # type: ignore[arg-type,call-overload] # numbers


@pytest.mark.parametrize(("mean", "scale"), [(7_674.0, "log"), (12.0, "linear")])
def test_the_axis_of_requests_per_connection_ends_where_the_bars_do(tmp_path: Path, mean: float, scale: str) -> None:
    summary = full_run(tmp_path / "run", rounds=1).summary()
    summary["policies"]["persistent"]["connections"]["requests_per_connection"] = mean
    _, (axes,) = drawn("requests_per_connection", summary)
    low, high = axes.get_xlim()
    assert (axes.get_xscale(), low) == (scale, 0.5 if scale == "log" else 0)
    assert mean < high < 1.1 * mean
    longest, one = axes.patches
    ends = [axes.transData.transform((bar.get_x() + bar.get_width(), 0))[0] for bar in (longest, one)]
    begin = axes.transData.transform((low, 0))[0]
    assert (ends[1] - begin) / (ends[0] - begin) < 0.1, "one request per connection is no fat bar"


def positions(directory: Path, **links: list[Link]) -> dict[str, Any]:
    names = {name: name.replace("_", ":") for name in links}
    writer = RunWriter(directory / "run", plan_json(",".join(names.values()), 2))
    for number in range(2):
        for name, found in links.items():
            writer.block(names[name], number, found)
    return writer.summary()


def test_a_group_ends_where_the_policy_s_connections_do(tmp_path: Path) -> None:
    summary = positions(
        tmp_path,
        recycle_8=[Link([Exchange(at) for at in range(8)])],
        recycle_9=[Link([Exchange(at) for at in range(9)])],
    )
    lasts = [summary["policies"][name]["by_position"][-1]["last"] for name in ("recycle:8", "recycle:9")]
    assert lasts == [8, 9]
    _, (axes,) = drawn("by_position", summary)
    assert ticks(axes.xaxis)[-1] == "6–9"


def test_a_group_that_none_has_keeps_its_place(tmp_path: Path) -> None:
    late = Link([Exchange(at if at < 2 or at >= 25 else -MS) for at in range(120)])
    summary = positions(tmp_path, persistent=[late], recycle_3=[Link([Exchange(at) for at in range(3)])])
    _, (axes,) = drawn("by_position", summary)
    assert ticks(axes.xaxis) == ["1", "2", "3", "4", "5", "6–10", "11–20", "21–50", "51–100", "101+"]
    shown = np.isfinite(np.asarray(axes.lines[0].get_ydata(), float))
    assert np.flatnonzero(shown).tolist() == [0, 1, 7, 8, 9]


def test_a_wide_band_does_not_decide_the_axis(tmp_path: Path) -> None:
    summary = sweep_run(tmp_path / "run", sweep_plan(recycle=("1", "2", "inf"))).summary()
    (one,) = summary["sweep"]["amortisation"]
    for point in one["curve"]:
        point["ci95"] = [-5 * MS, 90 * MS]
    for cell in one["cells"]:
        cell["ci95"] = [-9 * MS, 90 * MS]
    _, (axes,) = drawn("amortisation", summary)
    low, high = axes.get_ylim()
    highest = max(cell["mean_ns"] for cell in one["cells"])
    assert low == 0
    assert highest < high < 2 * highest


def test_curves_far_apart_have_a_log_axis_above_zero(tmp_path: Path) -> None:
    summary = sweep_run(tmp_path / "run", sweep_plan(recycle=("1", "2", "inf"))).summary()
    (one,) = summary["sweep"]["amortisation"]
    one["cells"][-1]["mean_ns"] = 2 * US
    one["curve"][-1]["ci95"] = [-5 * MS, 1 * MS]
    _, (axes,) = drawn("amortisation", summary)
    assert axes.get_yscale() == "log"
    assert 0 < axes.get_ylim()[0] < 2 * US
