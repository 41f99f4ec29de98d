"""What dependent requests are worth."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.checks.check import CheckOutcome
from loadgen.measure.checks.dependence import DEPENDENCE
from tests.support.simulated_runs import orders, simulated_run


def checked(latency: list[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> CheckOutcome:
    return DEPENDENCE.run(simulated_run([latency], orders(1, len(latency), 0)))


def test_independent_requests_are_worth_themselves() -> None:
    found = checked(list(np.random.default_rng(1).exponential(1e6, size=(5, 2_000))))
    assert found.passed is True
    samples, beyond = (one["value"] for one in found.results)
    assert samples == pytest.approx(10_000, rel=0.1)
    assert beyond == pytest.approx(100, rel=0.25)
    assert found.message == f"about as many as {samples:,.0f} (persistent)"


def test_slow_requests_in_groups_are_worth_few() -> None:
    """A stall in each of two blocks has nearly all that is slow: 40 requests of 2,000."""
    blocks = list(np.random.default_rng(2).normal(1e6, 1e4, size=(5, 2_000)))
    for block in blocks[1::2]:
        block[700:740] += 5e6
    found = checked(blocks)
    assert found.passed is False
    value = found.results[1]["value"]
    assert value is not None
    assert 1 < value < 5
    assert found.message.endswith(f"few independent ones beyond it, about {value:.1f} (persistent)")


def test_copies_count_once() -> None:
    found = checked([np.repeat(np.random.default_rng(3).exponential(1e6, 4_000), 4)])
    assert found.results[0]["value"] == pytest.approx(4_000, rel=0.15)


@pytest.mark.parametrize(("rounds", "requests"), [(5, 199), (10, 199)])
def test_with_few_beyond_the_p99_it_can_t_tell(rounds: int, requests: int) -> None:
    found = checked(list(np.random.default_rng(4).exponential(1e6, size=(rounds, requests))))
    assert found.results[1]["limit"] == rounds
    assert found.passed is None
    assert found.results[1]["value"] is not None


def test_requests_count_in_the_order_of_their_starts() -> None:
    rng = np.random.default_rng(5)
    slow, order = np.arange(4_000) % 40 == 0, rng.permutation(4_000)
    latency, at = np.where(slow, 5e6, 1e6) + rng.normal(size=4_000), np.arange(4_000) * 1e4
    run = simulated_run([[latency[order]]], [[0]], at_ns=[[at[order]]])
    value = DEPENDENCE.run(run).results[0]["value"]
    # Every 40th is slow: no two of them are near each other, which independent ones would be at times.
    assert value == pytest.approx(4_000, rel=0.1)


def test_a_policy_without_samples_has_no_result() -> None:
    found = checked([np.empty(0)])
    assert found.results == []
