"""Runs that end when they are precise: how much wider intervals are, and that ending early does not cheat."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadgen.measure.stats.distributions import student_t_quantile
from loadgen.measure.stats.sequential import jackknife

FIRST_LOOK, MOST_ROUNDS = 5, 200


def test_intervals_are_wider_by_less_the_more_rounds_there_are() -> None:
    factors = [jackknife(np.ones(rounds, np.bool_), stops_early=True).widening for rounds in (5, 20, 200)]
    assert factors == pytest.approx([math.sqrt(1.8), math.sqrt(1.2), math.sqrt(1.02)])
    assert jackknife(np.ones(5, np.bool_)).widening == 1


@pytest.mark.parametrize("ideal_rounds", [4, 10, 24, 60])
def test_ending_early_does_not_cheat_the_coverage(ideal_rounds: int) -> None:
    """Normal rounds, of which `ideal_rounds` would be enough if their spread were known.

    The mean does not depend on the spreads seen so far (R. A. Fisher), so each simulated run gives the probability that
    its interval holds the truth, and 4,000 of them give coverage to about 0.1 %.
    """
    random = np.random.default_rng(2)
    looks = np.arange(FIRST_LOOK, MOST_ROUNDS)
    t = np.array([student_t_quantile(0.975, rounds - 1) for rounds in looks.tolist()])
    squares = np.cumsum(random.standard_normal((4_000, MOST_ROUNDS - 1)) ** 2, axis=1)[:, looks - 2]
    margins = np.sqrt(1 + 4 / looks) * t * np.sqrt(squares / (looks - 1) / looks)
    ends = (margins <= 1.96 / math.sqrt(ideal_rounds)).argmax(axis=1)
    rounds, margin = looks[ends], margins[np.arange(len(ends)), ends]
    covered = np.array([math.erf(one) for one in (margin * np.sqrt(rounds / 2)).tolist()])
    assert (ends > 0).any()
    assert covered.mean() >= 0.948
    assert rounds.mean() <= ideal_rounds + 6
