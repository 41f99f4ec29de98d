"""The F test of a factor beside policy and round."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.stats.factor_effect import factor_effect

# Three policies in five rounds; the place of each in its round.
PLACES = np.array([0, 1, 2, 1, 2, 0, 2, 0, 1, 0, 2, 1, 1, 0, 2])
POLICIES, ROUNDS = np.tile([0, 1, 2], 5), np.repeat(np.arange(5), 3)
NOISE = np.random.default_rng(4).normal(size=15) * 0.01


def test_an_effect_is_told_from_policy_and_round() -> None:
    shift = np.array([0.3, 0.0, -0.3])
    found = factor_effect(POLICIES * 5.0 + ROUNDS * 2.0 + shift[PLACES] + NOISE, POLICIES, ROUNDS, PLACES)
    assert found is not None
    assert [found.levels[place] for place in range(3)] == pytest.approx(shift, abs=0.02)
    assert (found.highest, found.lowest) == (0, 2)
    assert found.spread == pytest.approx(0.6, abs=0.03)
    assert found.p_value < 1e-6


def test_policy_and_round_are_no_effect() -> None:
    found = factor_effect(POLICIES * 5.0 + ROUNDS * 2.0 + NOISE, POLICIES, ROUNDS, PLACES)
    assert found is not None
    assert found.p_value > 0.05


def test_without_noise_it_is_certain_or_nothing() -> None:
    none = factor_effect(POLICIES * 5.0, POLICIES, ROUNDS, PLACES)
    some = factor_effect(POLICIES * 5.0 + PLACES, POLICIES, ROUNDS, PLACES)
    assert none is not None
    assert some is not None
    assert (none.p_value, some.p_value) == (1, 0)


def test_of_two_policies_it_is_the_t_test_of_their_differences() -> None:
    """Differences -1, 1, -2 where A ran first and 3, 2 where B did: t² is F."""
    first = np.array([0, 0, 1, 0, 1])
    values = np.array([[0, -1], [0, 1], [0, 3], [0, -2], [0, 2]], float)
    differences = values[:, 1] - values[:, 0]
    groups = differences[first == 0], differences[first == 1]
    pooled = sum(float(np.sum((one - one.mean()) ** 2)) for one in groups) / 3
    t = (groups[0].mean() - groups[1].mean()) / np.sqrt(pooled * (1 / 3 + 1 / 2))
    places = np.column_stack([first, 1 - first]).ravel()
    found = factor_effect(values.ravel(), np.tile([0, 1], 5), np.repeat(np.arange(5), 2), places)
    assert found is not None
    # With 3 degrees of freedom: the distribution of t in closed form.
    x = abs(t) / np.sqrt(3)
    assert found.p_value == pytest.approx(1 - 2 / np.pi * (x / (1 + x * x) + np.arctan(x)), rel=1e-6)


@pytest.mark.parametrize("rounds", [1, 3])
def test_too_few_rounds_tell_nothing(rounds: int) -> None:
    size = rounds * 2
    places, policies = np.tile([0, 1, 1, 0], 2)[:size], np.tile([0, 1], rounds)
    assert factor_effect(np.arange(float(size)), policies, np.repeat(np.arange(rounds), 2), places) is None


def test_an_order_that_never_changed_tells_nothing() -> None:
    assert factor_effect(np.arange(20.0), np.tile([0, 1], 10), np.repeat(np.arange(10), 2), np.tile([0, 1], 10)) is None


def test_no_value_tells_nothing() -> None:
    none = np.empty(0, np.int64)
    assert factor_effect(np.empty(0), none, none, none) is None
