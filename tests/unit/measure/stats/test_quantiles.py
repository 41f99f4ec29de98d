"""Quantiles of mixtures of rounds: as exact as the spread between rounds, and equal to pooling the values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.stats.quantiles import RoundQuantiles, by_round

SHARES = np.array([0.001, 0.1, 0.5, 0.9, 0.99, 0.999])
ONE = np.ones((1, 1))


def of(values: np.ndarray, group: np.ndarray | None = None, groups: int = 1) -> RoundQuantiles:
    return by_round(values, np.zeros(len(values), np.int64) if group is None else group, groups)


def spread(kind: str, size: int = 90_000) -> np.ndarray:
    random = np.random.default_rng(11)
    made: dict[str, Any] = {
        "lognormal": lambda: random.lognormal(11, 1, size),
        "uniform": lambda: random.uniform(50_000, 5_000_000, size),
        "constant": lambda: np.full(size, 123_456),
    }
    values: np.ndarray = made[kind]().astype(np.int64)
    return values


@pytest.mark.parametrize("kind", ["lognormal", "uniform", "constant"])
def test_one_round_has_its_exact_quantiles(kind: str) -> None:
    values = spread(kind)
    exact = np.quantile(values, SHARES, method="inverted_cdf")
    assert of(values).quantiles(ONE, SHARES)[0] == pytest.approx(exact)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_any_width_of_integers(dtype: type[Any]) -> None:
    assert of(np.arange(1, 120, dtype=dtype)).quantiles(ONE, np.array([0.5]))[0] == [60]


@pytest.mark.parametrize("weights", [[1, 1, 1], [2, 0, 1], [0, 0, 3], [1, 2, 0]])
def test_mixtures_equal_pooling(weights: list[int]) -> None:
    group = np.arange(90_000) % 3
    values = spread("lognormal") + group * 700
    pooled = np.concatenate([np.tile(values[group == one], times) for one, times in enumerate(weights)])
    exact = np.quantile(pooled, SHARES, method="inverted_cdf")
    own = np.array([np.quantile(values[group == one], SHARES, method="inverted_cdf") for one in range(3)])
    found = of(values, group, 3).quantiles(np.array([weights], np.float64), SHARES)[0]
    assert (np.abs(found - exact) <= np.ptp(own, axis=0) / 1024 + 1e-6).all()


def test_each_mixture_stands_for_itself() -> None:
    values = np.array([100, 100, 100_000, 100_000])
    found = of(values, np.array([0, 0, 1, 1]), 2).quantiles(np.eye(2), np.array([0.5]))
    assert found[:, 0].tolist() == [100, 100_000]


def test_nothing_has_no_quantile() -> None:
    assert np.isnan(of(np.array([], np.int64), groups=3).quantiles(np.ones((2, 3)), SHARES)).all()


def test_an_empty_round_has_no_quantile_but_harms_no_mixture() -> None:
    made = of(np.array([100, 100]), np.array([0, 0]), 2)
    found = made.quantiles(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([0.5]))[:, 0]
    assert np.isnan(found[0])
    assert found[1] == 100


def test_a_stalled_round_does_not_blur_the_others() -> None:
    medians = [1_000_000, 1_010_000, 1_020_000, 1_030_000, 2_000_000_000]
    values = np.array([median + step for median in medians for step in range(-50, 51)])
    made = of(values, np.repeat(np.arange(5), 101), 5)
    weights = np.array([[1.0, 1, 1, 1, 1], [5, 0, 0, 0, 0], [0, 0, 2, 1, 2]])
    pooled = [np.repeat(values, np.repeat(row.astype(int), 101)) for row in weights]
    exact = [np.quantile(one, 0.5, method="inverted_cdf") for one in pooled]
    assert made.quantiles(weights, np.array([0.5]))[:, 0].tolist() == exact


def test_rounds_that_are_drawn_alike_count_as_one() -> None:
    random = np.random.default_rng(4)
    values, round_of = random.gamma(4, 1_000, 60_000).astype(np.int64), np.arange(60_000) % 600
    few = random.multinomial(20, [1 / 20] * 20, 50).astype(np.float64)
    many = np.repeat(few, 30, axis=1)
    many[:, 7] = 0  # one that nothing draws
    found = by_round(values, round_of, 600).quantiles(many, np.array([0.5, 0.99]))
    for row, weights in zip(found, many, strict=True):
        drawn = np.sort(np.repeat(values, weights[round_of].astype(np.int64)))
        for value, share in zip(row, (0.5, 0.99), strict=True):
            assert value == pytest.approx(drawn[int(share * len(drawn))], rel=0.003)
