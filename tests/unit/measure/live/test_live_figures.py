"""Figures while a run goes on: they are those that the summary has in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.live_blocks import LiveBlocks
from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.measure.live.live_figures import LiveFigures
from loadgen.measure.stats.precision import half_width
from loadgen.model.plan import Plan
from tests.support.synthetic import MS, US, Exchange, Link, RunWriter, plan_json

SWINGS_US = (30, -20, 10, -25)
BIN = 0.004


def links(policy: str, number: int) -> list[Link]:
    wait_us = (100 if policy == "persistent" else 300) + SWINGS_US[number]
    return [Link([Exchange(at * MS, wait=(wait_us + 7 * at) * US) for at in range(20)], connect=40 * US)]


def run(directory: Path, plan: dict[str, Any]) -> tuple[RunWriter, LiveFigures]:
    writer = RunWriter(directory, plan)
    figures = LiveFigures(Plan.from_json(plan))
    live = LiveBlocks([directory], [figures.add], has_histograms=True)
    for number in range(len(SWINGS_US)):
        for policy in plan["policies"]:
            writer.block(policy, number, links(policy, number))
            live.look()
    return writer, figures


@pytest.mark.parametrize("aim", [None, 0.01])
def test_they_agree_with_the_summary(tmp_path: Path, aim: float | None) -> None:
    more = {} if aim is None else {"until_precision": aim, "max_time_ns": 99 * 10**9}
    writer, figures = run(tmp_path / "run", plan_json("persistent,close,recycle:2", 5, **more))
    summary = writer.summary()
    for name, one in figures.policies.items():
        final = summary["policies"][name]
        assert one.throughput_rps == pytest.approx(final["throughput_rps"])
        assert one.p50_ns == pytest.approx(final["latency_ns"]["p50"], rel=BIN)
        blocks = [block for block in summary["blocks"] if block["policy"] == name]
        assert one.requests == [block["started"] for block in blocks]
        assert one.p50s_ns == pytest.approx([block["latency_p50_ns"] for block in blocks], rel=BIN)
    assert [(one.baseline, one.candidate) for one in figures.ratios] == [
        (one["baseline"], one["candidate"]) for one in summary["comparisons"]
    ]
    for ratio, comparison in zip(figures.ratios, summary["comparisons"], strict=True):
        assert ratio.ratio == pytest.approx(comparison["latency_mean_ratio"])
        assert ratio.interval == pytest.approx(comparison["latency_mean_ratio_ci95"])
        assert ratio.interval is not None
        assert ratio.half_widths[0] is None
        assert ratio.half_widths[-1] == half_width(ratio.interval)
        assert len(ratio.half_widths) == len(SWINGS_US)
    assert figures.blocks == 3 * len(SWINGS_US)


def test_the_latest_cells_come_last_and_once(tmp_path: Path) -> None:
    writer, figures = run(tmp_path / "run", plan_json("persistent,close", len(SWINGS_US)))
    writer.settle()
    assert figures.last == ["persistent", "close"]
    assert figures.last_index == 2 * len(SWINGS_US) - 1


def test_a_resumed_run_has_the_rounds_of_its_segment() -> None:
    figures = LiveFigures(Plan.from_json(plan_json("persistent,close", 5)), [0, 1, 2])
    assert figures.blocks == 3
    for index, policy in ((3, "close"), (4, "persistent"), (5, "close"), (6, "persistent"), (7, "close")):
        figures.add(index, BlockLatency(index // 2, policy, True, 10, 1_000 + index, 10**9))
    assert figures.policies["close"].rates_rps == [None, 10, 10, 10]
    assert figures.policies["persistent"].rates_rps == [None, None, 10, 10]
    (ratio,) = figures.ratios
    assert [width is None for width in ratio.half_widths] == [True, True, True, False]


def test_of_many_rounds_not_each_is_looked_at() -> None:
    figures = LiveFigures(Plan.from_json(plan_json("persistent,close", 400)))
    for index in range(800):
        figures.add(index, BlockLatency(index // 2, ("persistent", "close")[index % 2], True, 10, 1_000 + index, 10**9))
    (widths,) = [one.half_widths for one in figures.ratios]
    known = [place for place, width in enumerate(widths) if width is not None]
    assert known[:198] == list(range(1, 199))
    assert len(known) < 290
    assert known[-1] >= 396


def test_a_block_without_a_request_has_no_p50_and_no_ratio() -> None:
    figures = LiveFigures(Plan.from_json(plan_json("persistent,close", 5)))
    for index, policy in enumerate(("persistent", "close")):
        figures.add(index, BlockLatency(0, policy, True, 0, 0, 10**9))
    assert (figures.policies["close"].throughput_rps, figures.policies["close"].p50_ns) == (0, None)
    assert (figures.ratios[0].ratio, figures.ratios[0].interval) == (None, None)
