"""Which policies a scenario can have, and how many calls they have in flight on a connection."""

from __future__ import annotations

import pytest

from loadgen.drive.clients.scenario_policy import calls_at_once, scenario_policy
from loadgen.model.exceptions import PlanError


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("websocket", "self.client.websocket"),
        ("websocket-close", "self.client.websocket"),
        ("persistent+preopen:2", "nothing is opened before"),
    ],
)
def test_policies_that_a_scenario_cannot_have(policy: str, why: str) -> None:
    with pytest.raises(PlanError, match=why):
        scenario_policy(policy)


@pytest.mark.parametrize(
    ("policy", "calls"),
    [("persistent", 1), ("early-data", 1), ("pool:2", 1), ("pipeline:3", 3), ("h2", 100_000), ("h2+streams:3", 3),
     ("h2+coalesce", 100_000), ("h2+pool:4", 1), ("h2+pool:4+streams:9", 9),
     ("h2+recycle:1", 1), ("h2+gap:1s", 1), ("h2-prior+recycle:2", 100_000)],
)  # fmt: skip
def test_how_many_calls_a_connection_has_at_once(policy: str, calls: int) -> None:
    assert calls_at_once(scenario_policy(policy)) == calls
