"""A share of `make coverage`: intervals hold the truth, and claims are right, as often as is promised."""

from __future__ import annotations

import pytest

from tests.coverage.claims import ERROR_RATE, claim
from tests.coverage.diffs import LEAST_FOUND, diff_pairs
from tests.coverage.early_ends import LEAST, end_early
from tests.coverage.intervals import cover
from tests.coverage.scenarios import SCENARIOS, Scenario

CONFIDENCE = 0.99
CORRELATED, HEAVY = (next(one for one in SCENARIOS if name in one.name) for name in ("correlated 0.95", "σ = 1.5"))


@pytest.mark.parametrize("scenario", [CORRELATED, HEAVY], ids=lambda one: one.name)
def test_intervals_hold_the_truth_in_93_to_97_of_100(scenario: Scenario) -> None:
    found = cover(scenario, 5, 250)
    assert len(found.tallies) == 15
    assert found.outside(CONFIDENCE) == []


def test_without_a_difference_hardly_a_run_finds_one() -> None:
    found = claim(CORRELATED.name, CORRELATED.machine, candidates=4, rounds=5, experiments=75)
    assert found.certain.may_lie_in(0, ERROR_RATE, CONFIDENCE)
    assert found.equivalent.may_lie_in(0, ERROR_RATE, CONFIDENCE)


def test_a_run_that_ends_by_precision_covers_as_well() -> None:
    found = end_early(SCENARIOS[0], 0.02, 100, max_rounds=40)
    assert min(found.rounds) < max(found.rounds) < 40, "precision ended every run, and not all at once"
    assert all(tally.may_lie_in(LEAST, 1, CONFIDENCE) for tally in found.tallies.values())


def test_a_diff_finds_what_its_rounds_suffice_for_and_claims_nothing_else() -> None:
    found = diff_pairs(rounds=10, experiments=12)
    assert found.claims.may_lie_in(0, ERROR_RATE, CONFIDENCE)
    assert found.found.may_lie_in(LEAST_FOUND, 1, CONFIDENCE)
    assert found.held.may_lie_in(LEAST, 1, CONFIDENCE)
    assert found.found.hits > found.claims.hits
