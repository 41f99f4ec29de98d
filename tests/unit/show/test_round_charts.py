"""What charts over the rounds are drawn from is what the summary says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.show.export.round_chart_data import round_charts
from tests.support.synthetic import full_run, sweep_plan, sweep_run


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return full_run(tmp_path_factory.mktemp("rounds") / "run", rounds=6).summary()


def test_each_block_has_its_figures(summary: Any) -> None:
    found = round_charts(summary)
    assert found["policies"] == ["persistent", "close"]
    for one, block in zip(found["rounds"], summary["blocks"], strict=True):
        assert found["policies"][one["policy"]] == block["policy"]
        assert one["round"] == block["round"] + 1
        shown = one["p50"], one["p99"], one["rps"], one["reuse"], one["handshake"]
        assert shown == (
            block["latency_p50_ns"], block["latency_p99_ns"], block["throughput_rps"], block["reuse_ratio"],
            block["handshake_mean_ns"],
        )  # fmt: skip
    for one in found["endings"]:
        assert dict(one["counts"]) == summary["policies"][found["policies"][one["policy"]]]["connections"]["endings"]


def test_a_difference_ends_with_that_of_the_summary_and_its_interval_shrinks(summary: Any) -> None:
    (one,), (comparison,) = round_charts(summary)["differences"], summary["comparisons"]
    assert [step[0] for step in one["steps"]] == [1, 2, 3, 4, 5, 6]
    assert one["steps"][0][2:] == [None, None]  # of one round there is no interval
    assert one["steps"][-1][1:] == [comparison["latency_mean_delta_ns"], *comparison["latency_mean_delta_ci95"]]


def test_an_interval_shrinks_as_rounds_come_in(summary: Any) -> None:
    blocks = [
        {**one, "latency_mean_ns": one["latency_mean_ns"] + 5_000 * (one["index"] % 3)} for one in summary["blocks"]
    ]
    (one,) = round_charts({**summary, "blocks": blocks})["differences"]
    known = one["steps"][1:-1]
    assert all(low < value < high for _, value, low, high in known)
    widths = [high - low for *_, low, high in known]
    assert widths == sorted(widths, reverse=True)


def test_many_rounds_are_shown_by_some_of_them(summary: Any) -> None:
    blocks = [{**block, "round": block["round"] + 6 * turn} for turn in range(100) for block in summary["blocks"]]
    found = round_charts({**summary, "blocks": blocks})
    assert len(found["rounds"]) == 2 * 200
    assert {found["rounds"][0]["round"], found["rounds"][-1]["round"]} == {1, 600}
    assert len(found["differences"][0]["steps"]) == 30


def test_where_nothing_was_measured_and_of_a_sweep_there_is_nothing(summary: Any, tmp_path: Path) -> None:
    assert round_charts({**summary, "blocks": []}) == {}
    assert round_charts(sweep_run(tmp_path / "swept", sweep_plan(users=(1, 2))).summary()) == {}
