"""Intervals of differences and ratios of quantiles: across a gap, of rounds that are slow together, and none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.quantile_pairs import QuantilePair
from loadgen.measure.stats.quantiles import PooledQuantiles, by_round

ROUNDS = 6


def pooled(rounds: Sequence[np.ndarray]) -> PooledQuantiles:
    values = np.concatenate(rounds).astype(np.int64)
    round_of = np.repeat(np.arange(len(rounds)), [len(one) for one in rounds])
    return by_round(values, round_of, len(rounds)).over(Jackknife.over(np.ones(len(rounds), np.bool_)))


def smooth(speeds: Sequence[float], factor: float = 1.0) -> PooledQuantiles:
    """Uniform values around 1 ms, each round as slow as its speed says."""
    return pooled([np.linspace(0.9e6, 1.1e6, 2_001) * speed * factor for speed in speeds])


def gap(fast: Sequence[int]) -> PooledQuantiles:
    """In each of these rounds so many of 1,000 take about 0.1 ms, and all others about 0.5 ms."""
    return pooled(
        [np.r_[np.linspace(0.99e5, 1.01e5, number), np.linspace(4.95e5, 5.05e5, 1_000 - number)] for number in fast]
    )


def test_the_interval_lies_around_the_ratio() -> None:
    speeds = [0.98, 0.99, 1.0, 1.0, 1.01, 1.02]
    pair = QuantilePair.of(smooth(speeds), smooth(speeds[::-1], 1.5), 0.5)
    assert pair.ratio == pytest.approx(1.5, rel=0.01)
    assert pair.delta_ns == pytest.approx(500_000, rel=0.02)
    ratio, delta = pair.ratio_interval(), pair.delta_interval()
    assert ratio is not None
    assert delta is not None
    assert 1.4 < ratio[0] < 1.49 < 1.51 < ratio[1] < 1.6
    assert 440_000 < delta[0] < 490_000 < 510_000 < delta[1] < 560_000


def test_what_slows_both_policies_in_a_round_cancels_out() -> None:
    speeds = [0.9, 0.95, 1.0, 1.0, 1.05, 1.1]
    together = QuantilePair.of(smooth(speeds), smooth(speeds), 0.5).ratio_interval()
    apart = QuantilePair.of(smooth(speeds), smooth([1.0, 0.9, 1.1, 0.95, 1.05, 1.0]), 0.5).ratio_interval()
    assert together is not None
    assert apart is not None
    assert together == pytest.approx([1, 1], abs=0.01)
    assert apart[1] - apart[0] > 0.1


def test_next_to_a_gap_it_reaches_across() -> None:
    """About a half of the requests are fast: which half a median is of is chance, so a ratio of 5 shows nothing."""
    pair = QuantilePair.of(gap([502, 499, 503, 500, 504, 498]), gap([497, 501, 498, 500, 496, 504]), 0.5)
    assert pair.ratio == pytest.approx(4.9, rel=0.01)
    interval, delta = pair.ratio_interval(), pair.delta_interval()
    assert interval is not None
    assert delta is not None
    assert interval[0] <= 1 < 4.9 < interval[1]
    assert delta[0] <= 0 < 390_000 < delta[1]


def test_without_an_interval_of_its_own_there_is_none_of_a_difference() -> None:
    few = pooled([np.array([100, 200])] * ROUNDS)
    pair = QuantilePair.of(few, few, 0.99)
    assert (pair.delta_ns, pair.ratio) == (0, 1)
    assert pair.delta_interval() is pair.ratio_interval() is None
