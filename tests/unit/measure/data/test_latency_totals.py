"""Requests and latency of blocks while a run goes on: those that its samples have in the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loadgen.measure.data.latency_totals import BlockLatency, LatencyTotals, merged_blocks
from loadgen.measure.data.recorder import Recorder
from loadgen.measure.data.rollup import Rollup
from loadgen.measure.data.rows import Samples
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from tests.support.synthetic import (
    MS,
    US,
    WINDOW_NS,
    Exchange,
    Link,
    RunWriter,
    close_links,
    persistent_links,
    plan_json,
)

Sums = dict[int, tuple[int, int]]


def sums(totals: LatencyTotals) -> Sums:
    return {index: (block.requests, block.latency_ns) for index, block in totals.blocks.items()}


def sums_of(samples: Samples) -> Sums:
    """The same of the samples that a run has kept."""
    complete = samples.of(samples.columns["error"] == ABSENT)
    size = len(samples.blocks)
    requests = np.bincount(complete.block_of(), minlength=size)
    latency = np.bincount(complete.block_of(), complete.latency_ns(), minlength=size)
    return {block["index"]: (int(requests[at]), int(latency[at])) for at, block in enumerate(samples.blocks)}


def mixed_links() -> list[Link]:
    """Requests of the warm-up, of the window and behind it; two that failed, one of them with its connection."""
    return [
        Link([Exchange(-MS), Exchange(MS), Exchange(2 * MS, outcome=-ErrorKind.TRUNCATED)], connect=50 * US, tls=MS),
        Link([Exchange(WINDOW_NS - 1), Exchange(WINDOW_NS)], connect=70 * US, dns=3 * US, upgrade=9 * US),
        Link([Exchange(3 * MS, outcome=-ErrorKind.TRUNCATED)], connect=40 * US),
        Link([Exchange(3 * MS, queue=8 * US)], tunnel=11 * US),
    ]


def test_after_each_round_they_are_what_the_samples_will_have(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json(rounds=3))
    totals = LatencyTotals(writer.store.directory)
    totals.read()
    assert totals.blocks == {}
    read = []
    for number, links in enumerate([persistent_links(0), mixed_links(), mixed_links() * 40]):
        writer.block("persistent", number, links)
        writer.block("close", number, close_links(number))
        totals.read()
        read.append(sums(totals))
    expected = sums_of(writer.settle())
    assert len(expected) == 6
    assert [{index: expected[index] for index in one} for one in read] == read
    assert read[-1] == expected
    assert expected[2][0] == 3
    assert all(block.is_whole for block in totals.blocks.values())


def test_parts_are_read_before_they_are_removed(tmp_path: Path) -> None:
    """A part of a long run is read while its block goes on, up to its last row and no further."""
    writer = RunWriter(tmp_path / "run", plan_json(rounds=1))
    directory = writer.store.directory
    writer.recorder.close()
    writer.recorder = Recorder(directory, part_rows=1)
    totals, rollup = LatencyTotals(directory), Rollup(directory, ("persistent", "close"), 5_000)
    writer.block("persistent", 0, persistent_links(0, requests=10_000))
    totals.read(only_whole_parts=True)
    rollup.take_in()
    (block,) = totals.blocks.values()
    assert 0 < block.requests < 20_000
    writer.block("close", 0, close_links(0, requests=10_000))
    totals.read()
    rollup.take_in()
    writer.recorder.close()
    counted = [block["counted"] for block in rollup.samples().blocks]
    assert list(sums(totals).values()) == [(one["requests"], one["sums_ns"]["latency"]) for one in counted]


def test_a_first_request_waits_for_its_connection_s_row(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json(rounds=1))
    totals = LatencyTotals(writer.store.directory)
    link = Link([Exchange(0), Exchange(MS)], connect=50 * US, row=False)
    writer.block("persistent", 0, [link])
    totals.read()
    assert totals.blocks[0].requests == 1
    writer.recorder.connection(0, 0, 1, ABSENT, 50 * US, ABSENT, ABSENT, ABSENT, ABSENT, link.flags, link.ending)
    totals.read()
    assert sums(totals) == sums_of(writer.settle()) == {0: (2, 2 * 115 * US + 50 * US)}


def test_of_arrivals_the_responses_within_the_window_count(tmp_path: Path) -> None:
    """Those that waited since the warm-up do, those that came too late do not."""
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 1, rate_rps=100.0))
    totals = LatencyTotals(writer.store.directory)
    late = [Exchange(-MS, queue=2 * MS), Exchange(MS), Exchange(WINDOW_NS - 1), Exchange(2 * MS, outcome=-5)]
    writer.block("persistent", 0, [Link(late)], due=3, unstarted=0)
    totals.read()
    (block,) = totals.blocks.values()
    summary = writer.summary()["policies"]["persistent"]
    assert (block.answered, block.requests) == (2, 2) == (summary["answered"], summary["requests"])
    assert block.throughput_rps == pytest.approx(summary["throughput_rps"])


@pytest.mark.parametrize("is_whole", [False, True])
def test_of_several_workers_those_count_that_completed_a_block(is_whole: bool) -> None:
    first = {0: BlockLatency(0, "close", True, 10, 1_000), 1: BlockLatency(0, "persistent", is_whole, 5, 50)}
    other = {1: BlockLatency(0, "persistent", False, 7, 70)}
    merged = merged_blocks([first, other])
    assert merged[0] == first[0]
    assert merged[1] == BlockLatency(0, "persistent", is_whole, *((5, 50) if is_whole else (12, 120)))
