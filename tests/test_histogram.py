"""Log-linear histograms: quantiles within a bin's width of the exact ones, and sums that equal pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.histogram import Histograms, histograms

SHARES = np.array([0.001, 0.1, 0.5, 0.9, 0.99, 0.999])
ONE = np.ones((1, 1))


def of(values: np.ndarray, group: np.ndarray | None = None, groups: int = 1) -> Histograms:
    return histograms(values, np.zeros(len(values), np.int64) if group is None else group, groups)


def spread(kind: str, size: int = 100_000) -> np.ndarray:
    random = np.random.default_rng(11)
    made: dict[str, Any] = {
        "lognormal": lambda: random.lognormal(11, 1, size),
        "uniform": lambda: random.uniform(50_000, 5_000_000, size),
        "exponential": lambda: 20_000 + random.exponential(300_000, size),
        "constant": lambda: np.full(size, 123_456),
    }
    values: np.ndarray = made[kind]().astype(np.int64)
    return values


@pytest.mark.parametrize("kind", ["lognormal", "uniform", "exponential", "constant"])
def test_quantiles_are_within_a_thousandth(kind: str) -> None:
    values = spread(kind)
    # 0.1 % beside numpy's own quantile; between nearest ranks, for the sparse tail has gaps of its own.
    low, high = (np.quantile(values, SHARES, method=how) for how in ("lower", "higher"))
    found = of(values).quantiles(ONE, SHARES)[0]
    assert (found >= low * 0.999).all()
    assert (found <= high * 1.001).all()


@pytest.mark.parametrize("exponent", range(0, 44, 4))
def test_a_single_value_comes_back_within_a_thousandth(exponent: int) -> None:
    value = 3 * 2**exponent + 1
    assert of(np.array([value])).quantiles(ONE, SHARES)[0] == pytest.approx(value, rel=1 / 1024)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_any_width_of_integers(dtype: type[Any]) -> None:
    values = np.arange(1, 120, dtype=dtype)
    assert of(values).quantiles(ONE, np.array([0.5]))[0] == pytest.approx([60], rel=0.02)


def test_every_value_is_counted_once_in_its_group() -> None:
    values, group = spread("lognormal"), np.arange(100_000) % 4
    assert of(values, group, 6).counts.sum(axis=1).tolist() == [25_000] * 4 + [0, 0]


def test_edges_rise_and_hold_all_values() -> None:
    values = spread("lognormal")
    made = of(values)
    assert (np.diff(made.edges_ns) > 0).all()
    assert made.counts.shape == (1, len(made.edges_ns) - 1)
    assert made.edges_ns[0] <= values.min() <= values.max() < made.edges_ns[-1]
    inside = np.histogram(values, made.edges_ns)[0]
    assert np.array_equal(inside, made.counts[0])


@pytest.mark.parametrize("weights", [[1, 1, 1], [2, 0, 1], [0, 0, 3], [1, 2, 0]])
def test_weighted_sums_equal_pooling(weights: list[int]) -> None:
    values, group = spread("exponential", 9_000), np.arange(9_000) % 3
    pooled = np.concatenate([np.tile(values[group == one], times) for one, times in enumerate(weights)])
    by_weight = of(values, group, 3).quantiles(np.array([weights], np.float64), SHARES)[0]
    # Bins are the same whatever shares them; only the edges that no value uses differ.
    assert by_weight == pytest.approx(of(pooled).quantiles(ONE, SHARES)[0], rel=1e-12)


def test_each_row_of_weights_stands_for_itself() -> None:
    values = np.array([100, 100, 100_000, 100_000])
    found = of(values, np.array([0, 0, 1, 1]), 2).quantiles(np.eye(2), np.array([0.5]))
    assert found[:, 0] == pytest.approx([100, 100_000], rel=0.001)


def test_nothing_has_no_quantile() -> None:
    assert np.isnan(of(np.array([], np.int64), groups=3).quantiles(np.ones((2, 3)), SHARES)).all()


def test_an_empty_group_has_no_quantile_but_harms_no_sum() -> None:
    made = of(np.array([100, 100]), np.array([0, 0]), 2)
    found = made.quantiles(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([0.5]))[:, 0]
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(100, rel=0.001)


def test_zero_counts_as_one_nanosecond() -> None:
    assert of(np.array([0, 0])).quantiles(ONE, np.array([0.5]))[0] == pytest.approx([1], rel=0.001)
