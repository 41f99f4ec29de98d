"""Places in the round, and policies that make the next one slow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loadgen.measure.checks.check import CheckOutcome
from loadgen.measure.checks.order import ORDER
from tests.support.simulated_runs import orders, simulated_run

Slower = Callable[[int, int], float]


def checked(
    slower: Slower, *, policies: int = 2, rounds: int = 10, seed: int = 3, drift: float = 0.0, noise: float = 0.01
) -> CheckOutcome:
    """slower(place, policy before): how much slower a block is. drift: of all, over the whole run."""
    rng = np.random.default_rng(seed)
    order = orders(policies, rounds, seed)
    latency = [[np.empty(0)] * rounds for _ in range(policies)]
    before = -1
    for number, names in enumerate(order):
        for place, policy in enumerate(names):
            share = slower(place, before) + drift * (number * policies + place) / (rounds * policies)
            mean = 1e6 * (1 + policy) * (1 + share) * np.exp(rng.normal() * noise)
            latency[policy][number] = mean * np.exp(rng.normal(size=30) * 0.01)
            before = policy
    return ORDER.run(simulated_run(latency, order))


def nothing(place: int, before: int) -> float:
    return 0


def test_an_order_without_effect_passes() -> None:
    found = checked(nothing)
    assert found.passed is True
    assert found.message.startswith("no effect of 5% or more is certain; the largest estimate is ")
    assert [one["p_value"] is not None for one in found.results] == [True, True]


def test_an_unfair_first_place_is_named() -> None:
    found = checked(lambda place, before: 0.2 * (place == 0))
    assert found.passed is False
    assert found.message.startswith("blocks that ran first in their round were ")
    assert found.message.endswith("% slower than those that ran last in their round")


def test_a_policy_that_slows_the_next_one_is_named() -> None:
    found = checked(lambda place, before: 0.3 * (before == 1), policies=3)
    assert found.passed is False
    assert "blocks behind one of close were " in found.message


def test_of_many_policies_the_quarter_of_the_round_counts() -> None:
    found = checked(lambda place, before: 0.2 * (place < 3), policies=9)
    assert found.passed is False
    assert found.results[1]["passed"] is None
    assert "blocks in the first quarter of their round were " in found.message


def test_a_drift_of_the_whole_run_is_no_effect_of_the_order() -> None:
    """Later places are slower then, and that says nothing of the order."""
    assert checked(nothing, drift=0.5, noise=0).passed is True


def test_small_effects_do_not_matter() -> None:
    found = checked(lambda place, before: 0.02 * place, noise=0)
    assert found.passed is True
    assert found.results[0]["p_value"] is not None
    assert found.results[0]["p_value"] < 0.01


def test_few_rounds_can_t_tell() -> None:
    found = checked(lambda place, before: 0.5 * place, rounds=3)
    assert found.passed is None
    assert found.message.startswith("too few rounds")


def test_one_policy_has_no_order() -> None:
    assert checked(nothing, policies=1).results == []
