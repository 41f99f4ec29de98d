"""How many values in a row are worth one independent value."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.stats.autocorrelation import integrated_time


def autoregressive(size: int, share: float, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Each value is that share of the one before it, and noise."""
    values = np.random.default_rng(seed).normal(size=size)
    for at in range(1, size):
        values[at] += share * values[at - 1]
    return values


def test_independent_values_are_worth_themselves() -> None:
    blocks = np.random.default_rng(1).exponential(size=(10, 5_000))
    assert integrated_time(blocks) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_an_autoregression_has_its_known_time(share: float) -> None:
    """(1 + φ) / (1 - φ): 3 and 19."""
    blocks = [autoregressive(10_000, share, seed) for seed in range(6)]
    assert integrated_time(blocks) == pytest.approx((1 + share) / (1 - share), rel=0.15)


def test_copies_are_worth_one() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=2_000), 8)
    assert integrated_time([values]) == pytest.approx(8, rel=0.15)


def test_blocks_that_differ_in_their_mean_are_no_dependence() -> None:
    blocks = np.random.default_rng(3).normal(size=(5, 5_000)) + np.arange(5)[:, None] * 100
    assert integrated_time(blocks) == pytest.approx(1, abs=0.1)


def test_values_that_alternate_are_worth_no_more_than_they_are() -> None:
    assert integrated_time([np.tile([0.0, 1.0], 100)]) == 1


@pytest.mark.parametrize("series", [[], [np.empty(0)], [np.ones(1)], [np.ones(50)]])
def test_without_variation_there_is_no_dependence(series: list[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> None:
    assert integrated_time(series) == 1
