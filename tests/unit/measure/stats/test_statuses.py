"""Which status codes are no answers of a working target."""

from __future__ import annotations

import pytest

from loadgen.measure.stats.statuses import StatusCounts
from tests.support.summaries import policy_summary


def counts(*statuses: dict[str, int]) -> StatusCounts:
    return StatusCounts.of(policy_summary(statuses=one) for one in statuses)


def test_redirects_and_errors_of_several_policies() -> None:
    found = counts({"200": 5, "301": 1, "304": 1}, {"301": 1, "404": 1, "599": 1})
    assert found.redirects == [301]
    assert found.errors == [404, 599]
    assert found.share == 0.4
    assert found.count(found.redirects) == 2


@pytest.mark.parametrize(
    ("statuses", "are_unwanted"),
    [
        ({}, False),
        ({"200": 1, "500": 1}, True),
        ({"200": 2, "500": 1}, False),
        ({"101": 1, "300": 1, "304": 1, "305": 1, "306": 1, "399": 1}, False),
        ({"301": 1}, True),
        ({"302": 1, "200": 2, "400": 1}, True),
    ],
)
def test_half_of_them_is_most(statuses: dict[str, int], are_unwanted: bool) -> None:
    assert counts(statuses).are_unwanted is are_unwanted


def test_redirects_of_a_scenario_are_its_own_business() -> None:
    scenario = policy_summary(statuses={"200": 2, "302": 6, "404": 2}, is_scenario=True)
    found = StatusCounts.of([scenario])
    assert (found.redirects, found.errors, found.share, found.are_unwanted) == ([], [404], 0.2, False)
    both = StatusCounts.of([scenario, policy_summary(statuses={"302": 10})])
    assert (both.redirects, both.count(both.redirects), both.share) == ([302], 10, 0.6)
