"""Latencies by time: every request once, in bins that hold it, in a bounded number of slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.stats import latency_slices as module
from loadgen.measure.stats.latency_slices import latency_slices
from loadgen.measure.stats.policy_samples import policy_samples
from loadgen.model.latency_slice import BINS_PER_DECADE
from tests.support.synthetic import full_run, summary_of

ROUNDS = 5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return full_run(tmp_path_factory.mktemp("slices") / "run", rounds=ROUNDS)


@pytest.fixture(scope="module")
def samples(run: Any) -> Any:
    return run.settle()


def measured(samples: Any, rounds: int = ROUNDS) -> Any:
    by_policy = zip(samples.policies, samples.by_policy(), strict=True)
    return {name: policy_samples(samples, index, found, rounds) for index, (name, found) in enumerate(by_policy)}


def test_each_block_has_a_slice_with_its_requests_in_bins_that_hold_them(samples: Any) -> None:
    found = latency_slices(samples.with_counts().blocks, measured(samples))
    assert [(one["policy"], one["first_block"], one["last_block"]) for one in found] == [
        (block["policy"], block["index"], block["index"]) for block in samples.blocks
    ]
    for one in found:
        (block,) = [block for block in samples.blocks if block["index"] == one["first_block"]]
        ordered = measured(samples)[one["policy"]].by_round.ordered[block["round"]]
        edges = 10 ** ((one["first_bin"] + np.arange(len(one["counts"]) + 1)) / BINS_PER_DECADE)
        assert one["counts"] == np.histogram(ordered, edges)[0].tolist()


def test_a_long_run_has_slices_of_several_rounds(samples: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = latency_slices(samples.blocks, measured(samples))
    monkeypatch.setattr(module, "MAX_SLICES", 4)  # of 10 blocks: three rounds, then the last two
    found = latency_slices(samples.blocks, measured(samples))
    assert [(one["policy"], one["first_block"], one["last_block"]) for one in found] == [
        ("persistent", 0, 4),
        ("close", 1, 5),
        ("persistent", 6, 8),
        ("close", 7, 9),
    ]
    assert sum(sum(one["counts"]) for one in found) == sum(sum(one["counts"]) for one in whole)


def test_where_samples_were_left_out_all_requests_are_counted(tmp_path: Path) -> None:
    run = full_run(tmp_path / "run", rounds=ROUNDS, max_samples=100)
    run.recorder.close()
    samples = run.store.load_samples(("persistent", "close"), 100)
    assert len(samples.columns["error"]) <= 100
    found = latency_slices(samples.blocks, measured(samples))
    assert {sum(one["counts"]) for one in found} == {100}
    summary = summary_of(run.store, samples)
    assert summary["latency_slices"] == found


def test_a_block_without_an_answer_has_none(samples: Any) -> None:
    blocks = [block | {"index": 99, "round": ROUNDS} for block in samples.blocks[:1]]
    assert latency_slices(blocks, measured(samples, ROUNDS + 1)) == []
