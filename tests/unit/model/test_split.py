"""A plan split over processes: the parts add up to the whole."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.split import shares
from loadgen.model.target import parse_target
from tests.support.plans import URL


def plan_of(processes: int, **load: Any) -> Plan:
    return Plan(parse_target(URL), parse_policies("persistent"), Load(**load), processes=processes)


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_shares_add_up_to_the_plan(processes: int) -> None:
    whole = plan_of(processes, users=10, max_connections=100, requests=1_003)
    parts = shares(whole)
    assert len(parts) == processes
    assert sum(part.load.users for part in parts) == 10
    assert sum(part.load.max_connections for part in parts) == 100
    assert sum(part.load.requests or 0 for part in parts) == 1_003
    assert max(part.load.users for part in parts) - min(part.load.users for part in parts) <= 1
    assert max(part.peak_connections for part in parts) == whole.peak_connections
    assert {part.processes for part in parts} == {1}
    assert {part.seed for part in parts} == {whole.seed}  # the order of blocks
