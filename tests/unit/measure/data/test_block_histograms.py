"""Durations of blocks in bins: within 0.8 % of the durations themselves, added and picked by block and series."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.data.block_histograms import ERROR, LATENCY, BlockHistograms, bin_of, bounds_ns
from loadgen.measure.stats.policy_samples import quantile

SHARES = [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0]


def durations(seed: int, size: int = 5_000) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(11, 1.5, size).astype(np.int64)


def test_each_duration_lies_within_the_bounds_of_its_bin() -> None:
    for value in [
        0,
        1,
        2,
        3,
        127,
        128,
        129,
        255,
        256,
        257,
        1_000,
        123_456,
        10**9,
        3_600 * 10**9,
        *durations(1).tolist(),
    ]:
        number = int(bin_of(np.array([value]))[0])
        low, high = bounds_ns(number)
        assert low <= value <= high <= max(low, low * (1 + ERROR))
        assert number < 1 << 15  # two bytes hold it


@pytest.mark.parametrize("seed", range(3))
def test_quantiles_are_those_of_the_durations(seed: int) -> None:
    values = durations(seed)
    blocks = np.random.default_rng(seed).integers(3, 6, len(values))
    found = BlockHistograms.of({LATENCY: (blocks, values)}).quantiles_ns(SHARES, int(values.max()))
    exact = [quantile(np.sort(values), share) for share in SHARES]
    assert found == pytest.approx(exact, rel=ERROR)
    assert found[-1] <= values.max()


def test_those_of_many_blocks_are_counted_like_those_of_few() -> None:
    values = durations(7, 400)
    blocks = np.arange(400) * 1_000
    table = BlockHistograms.of({LATENCY: (blocks, values)})
    assert table.columns["block"].tolist() == blocks.tolist()
    assert table.columns["count"].tolist() == [1] * 400
    assert list(table.by_block()) == blocks.tolist()


def test_a_sum_counts_each_bin_of_a_block_and_a_series_once() -> None:
    values, more = durations(1), durations(2)
    blocks = np.arange(len(values)) % 2
    parts = [BlockHistograms.of({LATENCY: (blocks, some), "wait": (blocks, some // 2)}) for some in (values, more)]
    total = parts[0].add(parts[1:])
    once = BlockHistograms.of(
        {
            LATENCY: (np.tile(blocks, 2), np.concatenate([values, more])),
            "wait": (np.tile(blocks, 2), np.concatenate([values, more]) // 2),
        }
    )
    rows = [set(zip(*(column.tolist() for column in one.columns.values()), strict=True)) for one in (total, once)]
    assert rows[0] == rows[1]
    wait = total.of_series("wait").of_blocks(np.array([1]))
    assert wait.columns["count"].sum() == len(values)
    assert set(wait.columns["block"].tolist()) == {1}


def test_nothing_adds_nothing() -> None:
    empty = BlockHistograms.empty()
    assert (
        len(empty.add([empty, BlockHistograms.of({LATENCY: (np.empty(0, int), np.empty(0, int))})]).columns["bin"]) == 0
    )
    assert empty.by_block() == {}
