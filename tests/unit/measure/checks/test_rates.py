"""A share of `make coverage`: sound runs seldom fail, and faults are found."""

from __future__ import annotations

import pytest

from tests.coverage.check_rates import SCENARIOS, CheckScenario, failures, line_of, most_by_chance

EXPERIMENTS = 100
SHARE = [
    one
    for one in SCENARIOS
    if not one.is_sound or ((one.policies, one.rounds) == (2, 5) and one.name != "independent requests")
]


@pytest.mark.parametrize("scenario", SHARE, ids=lambda one: f"{one.check.name}-{one.name}-{one.policies}x{one.rounds}")
def test_a_check_fails_where_it_should_and_nowhere_else(scenario: CheckScenario) -> None:
    found = failures(scenario, EXPERIMENTS if scenario.is_sound else 20)
    assert found.is_within, line_of(found)


def test_chance_explains_some_failures() -> None:
    """One in a hundred of 1,000 is 10, and 21 or more are rarer than one in a thousand."""
    assert most_by_chance(1_000, 0.01) == 21
    assert most_by_chance(1, 0.5) == 1
