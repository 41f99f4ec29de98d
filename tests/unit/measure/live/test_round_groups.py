"""Rounds in groups: as a run gets longer, fewer samples of each, and all of its facts."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from loadgen.measure.live.block_report import BlockReport
from loadgen.measure.live.round_figures import RoundFigures
from loadgen.measure.live.round_groups import MAX_GROUPS, RoundGroups, group_size
from tests.support.block_reporter import Reporter
from tests.support.synthetic import links, plan_json

ROUNDS = 300


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> BlockReport:
    reporter = Reporter(tmp_path_factory.mktemp("groups") / "run", plan_json("close"))
    found: BlockReport = reporter.block("close", 0, links("close", 0, 50))[0]
    reporter.writer.recorder.close()
    return found


def in_round(report: BlockReport, number: int) -> BlockReport:
    found = copy.deepcopy(report)
    found["block"] |= {"index": number, "round": number}
    return found


def test_groups_are_powers_of_two_and_never_too_many() -> None:
    assert [group_size(rounds) for rounds in (1, MAX_GROUPS, MAX_GROUPS + 1, 8 * MAX_GROUPS, 2_000)] == [1, 1, 2, 8, 32]


def test_facts_add_up_and_samples_are_bounded(report: BlockReport) -> None:
    groups = RoundGroups(("close",), max_samples=2_000)
    assert all(groups.add(in_round(report, number)) for number in range(ROUNDS))
    assert not groups.add(in_round(report, 7))  # a message that came twice
    found = groups.samples()
    assert [block["round"] for block in found.blocks] == list(range(38))
    assert sum(block["grouped"] for block in found.blocks) == ROUNDS
    assert sum(block["started"] for block in found.blocks) == ROUNDS * report["started"]
    assert len(found) <= 38 * 100
    assert (np.bincount(found.columns["round"], minlength=38) > 0).all()


def test_figures_of_a_group_are_of_all_its_requests(report: BlockReport) -> None:
    figures, block = RoundFigures(), {"policy": "close", "round": 1}
    for number in range(4):
        figures.add(in_round(report, number))
    figures.resize(2)
    figures.refine(block)  # type: ignore[arg-type] # as much of a block's summary as is read
    latency = report["histograms"]["latency"]
    assert block["round"] == 2
    assert block["latency_mean_ns"] == round(latency["sum_ns"] / latency["count"])
    assert block["handshake_mean_ns"] == round(report["histograms"]["connect"]["sum_ns"] / latency["count"])
    assert 0 < block["latency_p50_ns"] <= block["latency_p99_ns"]  # type: ignore[operator] # numbers
