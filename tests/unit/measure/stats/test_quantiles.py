"""Quantiles of all rounds: equal to those of the values, pooled and sorted, with intervals that follow the rounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.quantiles import PooledQuantiles, by_round

SHARES = [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0]
GROUPS = 5


def spread(kind: str, size: int = 9_000) -> np.ndarray:
    random = np.random.default_rng(11)
    made: dict[str, Any] = {
        "lognormal": lambda: random.lognormal(11, 1, size),
        "few values": lambda: random.integers(1, 4, size),
        "constant": lambda: np.full(size, 123_456),
        "one round stalls": lambda: random.uniform(50_000, 60_000, size) + (np.arange(size) % GROUPS == 1) * 2e9,
        "tiny": lambda: random.uniform(1, 9, 7),
    }
    values: np.ndarray = made[kind]().astype(np.int64)
    return values


def pooled(values: np.ndarray, rounds: int = GROUPS, **more: Any) -> PooledQuantiles:
    """Rounds take turns in `values`."""
    return by_round(values, np.arange(len(values)) % rounds, rounds).over(
        Jackknife.over(np.ones(rounds, np.bool_)), **more
    )


@pytest.mark.parametrize("kind", ["lognormal", "few values", "constant", "one round stalls", "tiny"])
def test_equal_to_pooling(kind: str) -> None:
    values = spread(kind)
    found = pooled(values)
    for share in SHARES:
        assert found.value(share) == np.quantile(values, share, method="inverted_cdf")
        assert found.left_out(share)[0] == found.value(share)
        interval = found.interval(share)
        assert (interval is None) == (np.ceil(share * len(values)) == len(values)), "nothing was measured beyond it"
        assert interval is None or interval[0] <= found.value(share) <= interval[1]


def test_only_rounds_that_count_do() -> None:
    values, round_of = spread("lognormal"), np.arange(9_000) % 6
    active = np.array([True, True, False, True, False, True])
    found = by_round(values, round_of, 6).over(Jackknife.over(active))
    assert found.value(0.9) == np.quantile(values[active[round_of]], 0.9, method="inverted_cdf")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_any_width_of_integers(dtype: type[Any]) -> None:
    assert pooled(np.arange(1, 120, dtype=dtype)).value(0.5) == 60


def test_of_many_values_leaving_out_a_round_moves_a_quantile_as_the_values_do() -> None:
    random = np.random.default_rng(3)
    round_of = np.arange(200_000) % GROUPS
    values = (random.lognormal(12, 0.4, 200_000) * (1 + 0.02 * round_of)).astype(np.int64)
    found = pooled(values)
    for share in (0.5, 0.99):
        exact = [np.quantile(values[round_of != left], share, method="inverted_cdf") for left in range(GROUPS)]
        moved = found.left_out(share)[1:] / found.value(share) - 1
        assert moved == pytest.approx(np.array(exact) / found.value(share) - 1, abs=0.003)


def test_the_interval_of_a_median_is_that_of_the_rounds_where_they_are_shifted() -> None:
    """Uniform values, each round shifted by 100 more: the median is as uncertain as the mean of the shifts."""
    steps = np.arange(0, 100_000, 5)
    values = (steps + np.arange(len(steps)) % GROUPS * 100) + 1_000_000
    margin = 2.7764451 * math.sqrt(2.5) * 100 / math.sqrt(GROUPS)
    middle = pooled(values).value(0.5)
    assert pooled(values).interval(0.5) == pytest.approx([middle - margin, middle + margin], abs=30)


def test_a_tail_that_few_values_show_has_an_interval_beyond_them() -> None:
    random = np.random.default_rng(5)
    found = pooled(random.lognormal(12, 0.5, 300).astype(np.int64))
    low, high = found.interval(0.99) or (0, 0)
    assert low < found.value(0.99) < high


def test_quantiles_of_all_requests_where_these_are_a_share() -> None:
    values = spread("lognormal")
    plain, moved = pooled(values), pooled(values, exactly=lambda share: plain_value(share) * 1.5)

    def plain_value(share: float) -> float:
        return plain.value(share)

    assert moved.value(0.9) == 1.5 * plain.value(0.9)
    assert moved.left_out(0.9) == pytest.approx(1.5 * plain.left_out(0.9))
    assert moved.interval(0.9) == pytest.approx([1.5 * bound for bound in plain.interval(0.9) or ()], abs=1)


def test_nothing_has_no_quantile() -> None:
    found = pooled(np.array([], np.int64), 3)
    assert math.isnan(found.value(0.5))
    assert np.isnan(found.left_out(0.5)).all()
    assert found.interval(0.5) is None


def test_a_bound_that_means_nothing_is_no_bound() -> None:
    """Two rounds that have little in common: the line goes beyond what 64 bits hold, and not that of more rounds."""
    values = np.concatenate([np.linspace(1_000, 1_500, 500), np.geomspace(1e6, 1e7, 500)]).astype(np.int64)
    two = by_round(values, np.repeat([0, 1], 500), 2).over(Jackknife.over(np.ones(2, np.bool_)))
    assert 1_000 < two.value(0.5) <= 1_500
    assert two.interval(0.5) is None
    low, high = pooled(values, 50).interval(0.5) or (0, 0)
    assert 1_000 < low <= high < 1e7


@pytest.mark.parametrize("rounds", [1, 2])
def test_an_interval_needs_two_rounds(rounds: int) -> None:
    assert (pooled(spread("lognormal"), rounds).interval(0.5) is None) == (rounds == 1)


def test_next_to_a_gap_leaving_out_a_round_moves_a_quantile_across_it() -> None:
    """Of 1,000 in each round 495 to 502 are fast, and all others five times as slow."""
    fast = [495, 498, 500, 501, 502]
    values = np.concatenate([_two_modes(number) for number in fast]).astype(np.int64)
    rounds = Jackknife.over(np.ones(GROUPS, np.bool_))
    found = by_round(values, np.repeat(np.arange(GROUPS), 1_000), GROUPS).over(rounds)
    own = found.interval(0.5)
    assert own is not None
    assert own[0] < 101_000 < 495_000 < own[1]
    interval = rounds.ratio_interval(found.left_out(0.5))
    assert interval is not None
    assert interval[0] <= own[0] * 1.001
    assert interval[1] >= own[1] * 0.999


def _two_modes(fast: int) -> np.ndarray:
    return np.r_[np.linspace(99_000, 101_000, fast), np.linspace(495_000, 505_000, 1_000 - fast)]
