"""What a summary says about trailers and upgrades, from facts that are made by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.stats.policy_samples import PolicySamples, policy_samples
from loadgen.measure.summary.policy import _slots, _used_slots
from loadgen.measure.summary.protocols import upgrade_cost
from loadgen.measure.summary.trailers import trailers
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import H2C_UPGRADE, HTTP1, parse_policies
from loadgen.model.target import parse_target
from tests.support.synthetic import MS, US, Exchange, Link, RunWriter, plan_json

FACTS: Any = [{"trailers": {"responses": 2, "fields": {"x-sum": 2}}}, {"trailers": {"responses": 1, "fields": {}}}, {}]


@pytest.mark.parametrize(
    ("policy", "asked", "expected"),
    [("persistent", True, True), ("persistent", False, False), ("websocket", True, False), ("http10", True, False)],
)
def test_trailers_are_asked_for_where_they_can_be(policy: str, asked: bool, expected: bool) -> None:
    (parsed,) = parse_policies(policy)
    assert trailers(FACTS, parsed, asked) == {"asked": expected, "responses": 3, "fields": {"x-sum": 2}}


@pytest.mark.parametrize(
    ("policy", "facts", "needed"),
    [
        ("pool:2", {}, 2),
        ("pool:2", {"workers": 3}, 6),  # each of Locust's workers has a pool of its own
        ("pool:2", {"workers": 3, "grouped": 4}, 24),
        ("h2+coalesce", {"workers": 3}, 3),
        ("persistent", {}, 5),
        ("persistent", {"workers": 3}, 5),
        ("persistent", {"continuous": True}, 99),
    ],
)
def test_a_block_needs_the_connections_that_its_users_may_have(policy: str, facts: dict[str, Any], needed: int) -> None:
    plan = Plan(parse_target("http://h/"), parse_policies(policy), Load(users=5))
    block: Any = {"connections": {"slots": 99}, **facts}
    assert _used_slots(block, partial(_slots, plan.cells[0], plan)) == needed


def measured(directory: Path, *links: Link) -> PolicySamples:
    writer = RunWriter(directory / "run", plan_json("persistent", 1))
    writer.block("persistent", 0, links)
    samples = writer.settle()
    return policy_samples(samples, 0, samples.by_policy()[0], rounds=1)


def test_http1_has_no_upgrade(tmp_path: Path) -> None:
    assert upgrade_cost([], measured(tmp_path, Link([Exchange(0)])), HTTP1) is None


def test_an_upgrade_in_exchanges(tmp_path: Path) -> None:
    one = measured(tmp_path, Link([Exchange(0, wait=900 * US), Exchange(MS, wait=85 * US), Exchange(2 * MS)]))
    blocks: Any = [{"upgrades": {"count": 3, "ns": 900 * US}}, {"upgrades": {"count": 1, "ns": 100 * US}}, {}]
    assert upgrade_cost(blocks, one, H2C_UPGRADE) == {
        "mean_ns": 250 * US,
        "exchange_p50_ns": 100 * US,  # of those on a connection in use: 85 + 15 and 100 + 15 µs
        "exchanges": 2.5,
    }


def test_without_later_requests_the_first_ones_are_taken(tmp_path: Path) -> None:
    found = upgrade_cost([], measured(tmp_path, Link([Exchange(0)])), H2C_UPGRADE)
    assert found == {"mean_ns": None, "exchange_p50_ns": 115 * US, "exchanges": None}
