"""Quantiles of all rounds and of all but some: equal to those of the values, pooled and sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.stats.quantiles import by_round

SHARES = [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0]
GROUPS = 3


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


def numbers(*groups: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(np.array(group, np.intp) for group in groups)


@pytest.mark.parametrize("kind", ["lognormal", "few values", "constant", "one round stalls", "tiny"])
def test_equal_to_pooling(kind: str) -> None:
    values = spread(kind)
    round_of = np.arange(len(values)) % GROUPS
    found = by_round(values, round_of, GROUPS).left_out(numbers((0,), (1,), (2,)), SHARES)
    pooled = [values, *(values[round_of != number] for number in range(GROUPS))]
    assert found.tolist() == [np.quantile(one, SHARES, method="inverted_cdf").tolist() for one in pooled]


def test_rounds_of_a_group_are_left_out_together_and_those_of_none_never_count() -> None:
    values, round_of = spread("lognormal"), np.arange(9_000) % 6
    found = by_round(values, round_of, 6).left_out(numbers((0, 1), (2, 4)), [0.5])
    pooled = [values[np.isin(round_of, rounds)] for rounds in ((0, 1, 2, 4), (2, 4), (0, 1))]
    assert found[:, 0].tolist() == [np.quantile(one, 0.5, method="inverted_cdf") for one in pooled]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_any_width_of_integers(dtype: type[Any]) -> None:
    made = by_round(np.arange(1, 120, dtype=dtype), np.zeros(119, np.int64), 1)
    assert made.left_out(numbers((0,)), [0.5])[0] == [60]


def test_nothing_has_no_quantile() -> None:
    made = by_round(np.array([], np.int64), np.array([], np.int64), 3)
    assert np.isnan(made.left_out(numbers((0,), (1,), (2,)), SHARES)).all()


def test_an_empty_round_harms_no_other() -> None:
    found = by_round(np.array([100, 100]), np.array([0, 0]), 2).left_out(numbers((0,), (1,)), [0.5])[:, 0]
    assert found[[0, 2]].tolist() == [100, 100]
    assert np.isnan(found[1])
