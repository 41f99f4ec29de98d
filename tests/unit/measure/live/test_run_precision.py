"""When a run ends by its precision, and that its figures are then those of the summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.live_blocks import LiveBlocks
from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.measure.live.live_figures import LiveFigures
from loadgen.measure.live.run_precision import RunPrecision
from loadgen.measure.stats.precision import half_width
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from tests.support.synthetic import MS, US, Exchange, Link, RunWriter, plan_json

SWINGS_US = (30, -20, 10, -25, 15, -10, 5, 3)
"""By how much the waiting of `close` differs from round to round."""


def plan(aim: float, policies: str = "persistent,close", **more: Any) -> dict[str, Any]:
    max_time_ns = len(SWINGS_US) * len(policies.split(",")) * NS_PER_S
    return plan_json(policies, 5, until_precision=aim, max_time_ns=max_time_ns, **more)


def links(wait_us: int, outcome: int = 200) -> list[Link]:
    return [Link([Exchange(at * MS, wait=wait_us * US, outcome=outcome) for at in range(20)])]


def run(directory: Path, plan: dict[str, Any], fails_from: int = 99) -> tuple[RunWriter, LiveFigures]:
    """A run as the command has it: fails_from: the round from which on `close` fails."""
    writer = RunWriter(directory, plan)
    figures = LiveFigures(Plan.from_json(plan))
    precision = RunPrecision(Plan.from_json(plan), figures)
    blocks = LiveBlocks([writer.store.directory], [figures.add])
    policies = plan["policies"]
    for index in range(len(SWINGS_US) * len(policies)):
        blocks.look()
        if not precision.goes_on(index):
            return writer, figures
        number, position = divmod(index, len(policies))
        wait_us = 100 if policies[position] == "persistent" else 200 + SWINGS_US[number]
        fails = policies[position] == "close" and number >= fails_from
        writer.block(policies[position], number, links(wait_us, -ErrorKind.TRUNCATED if fails else 200))
    blocks.look()
    return writer, figures


def codes(summary: dict[str, Any]) -> list[str]:
    return [one["code"] for one in summary["warnings"]]


def test_it_ends_once_the_ratio_is_known(tmp_path: Path) -> None:
    writer, figures = run(tmp_path / "run", plan(0.12, policies="persistent,recycle:9,close"))
    summary = writer.summary()
    found = summary["precision"]
    assert figures.half_width is not None
    assert found["half_width"] == pytest.approx(figures.half_width, rel=1e-12)
    assert found["half_width"] == max(half_width(one["latency_mean_ratio_ci95"]) for one in summary["comparisons"])
    assert (found["aim"], found["is_reached"], found["max_rounds"]) == (0.12, True, 8)
    assert 5 < found["rounds"] < 8
    assert "precision_not_reached" not in codes(summary)


def test_it_goes_on_while_the_ratio_is_not_known(tmp_path: Path) -> None:
    writer, figures = run(tmp_path / "run", plan(0.0001))
    summary = writer.summary()
    assert summary["precision"]["rounds"] == summary["precision"]["max_rounds"] == 8
    assert summary["precision"]["half_width"] == pytest.approx(figures.half_width, rel=1e-12)
    assert not summary["precision"]["is_reached"]
    assert "precision_not_reached" in codes(summary)
    assert "--max-time was over after 8 rounds: the ratio is known within ±" in summary["verdict"]
    assert "%, not ±0.01%" in summary["verdict"]


def test_the_least_number_of_rounds_is_run_however_narrow_it_is(tmp_path: Path) -> None:
    writer, _ = run(tmp_path / "run", plan(1.0))
    summary = writer.summary()
    assert (summary["precision"]["rounds"], summary["precision"]["is_reached"]) == (5, True)
    assert "the run stopped after 5 rounds, when the ratio was known within ±" in summary["verdict"]


def test_it_ends_once_a_policy_is_not_answered_any_more(tmp_path: Path) -> None:
    writer, figures = run(tmp_path / "run", plan(0.0001), fails_from=3)
    assert figures.half_width is not None
    summary = writer.summary()
    assert (summary["precision"]["rounds"], summary["comparisons"][0]["rounds"]) == (6, 3)
    assert "close had no complete request in the last 3 rounds: the ratio is known within ±" in summary["verdict"]


def test_it_ends_where_a_policy_was_never_answered(tmp_path: Path) -> None:
    writer, figures = run(tmp_path / "run", plan(0.05), fails_from=0)
    assert figures.half_width is None
    summary = writer.summary()
    assert (summary["precision"]["rounds"], summary["precision"]["half_width"]) == (5, None)
    assert "close had no complete request in the last 3 rounds: a ratio has no interval" in summary["verdict"]


def test_a_run_that_was_cut_off_says_what_is_known(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan(0.0001))
    for number in range(3):
        for policy, wait_us in (("persistent", 100), ("close", 200 + SWINGS_US[number])):
            writer.block(policy, number, links(wait_us), ended=number < 2)
    summary = writer.summary()
    assert "the run ended after 3 rounds: the ratio is known within ±" in summary["verdict"]


def test_of_many_rounds_not_each_may_be_the_last() -> None:
    ends: list[int] = []
    figures = LiveFigures(Plan.from_json(plan(0.9)))
    precision = RunPrecision(Plan.from_json(plan(0.9)), figures)
    for index in range(2 * 1_000):
        if not precision.goes_on(index):
            ends.append(index // 2)
        figures.add(index, BlockLatency(index // 2, ("persistent", "close")[index % 2], True, 10, 1_000 + index, 10**9))
    assert ends[:196] == list(range(5, 201))  # at once, after the least number of rounds
    assert len(ends) < 450
    assert ends[-1] > 985


def test_workers_without_a_folder_s_files_are_passed_over(tmp_path: Path) -> None:
    told: list[int] = []
    blocks = LiveBlocks([tmp_path / "nowhere"], [lambda index, _block: told.append(index)])
    blocks.read_parts(0)
    blocks.look()
    assert told == []
