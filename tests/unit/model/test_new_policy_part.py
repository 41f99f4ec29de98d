"""A new part of a policy is one class and one row: what reads, refuses, obeys and compares policies stays as it is.

The part is `trust:T`: a connection unused for longer is not used again.
"""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.measure.stats.comparison import pairs
from loadgen.model.cell import NO_AXES, cells
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import PARTS, ConnectionUse, Part, ReuseLimit, Trait, parse_policies, parse_policy
from loadgen.model.policy.part import duration_ns
from loadgen.model.records import Ending
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from tests.support.fake_network import FakeClock, FakeContext, requests


class Trust(ReuseLimit):
    """How long a connection may be unused before the client no longer trusts it."""

    __slots__ = ()
    noun = "trust"

    def allows(self, connection: ConnectionUse, now_ns: int) -> bool:
        return now_ns - connection.idle_since_ns <= self.limit_ns


def _parse(text: str) -> dict[str, Any]:
    return {"limits": (Trust(duration_ns(text)),)}


PART = Part(
    "a connection left unused for longer than T is not used again",
    parameter="T",
    parse=_parse,
    trait=Trait(
        "a time of trust",
        lambda policy: any(isinstance(limit, Trust) for limit in policy.limits),
        excludes={"one request per connection": "no connection is ever idle"},
        objects=lambda conditions: "is for users" if conditions.is_open_loop else None,
    ),
)


@pytest.fixture(autouse=True)
def _part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARTS, "trust", PART)


def test_it_is_parsed() -> None:
    policy = parse_policy("recycle:10+trust:50ms")
    assert policy.limits == (Trust(50 * NS_PER_MS),)
    assert policy.requests == 10
    assert not policy.keeps_open
    assert [limit.noun for limit in parse_policy("trust:1s+lifetime:2s").limits] == ["lifetime", "trust"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("trust", "write trust:T"),
        ("trust:1s+trust:2s", "trust and trust exclude each other"),
        (
            "close+trust:1s",
            r"a time of trust cannot be combined with one request per connection",
        ),
        ("trsut:1s", "did you mean 'trust'"),
    ],
)
def test_what_excludes_it_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        parse_policy(text)


def test_a_run_that_it_cannot_go_with_is_refused() -> None:
    target, policies = parse_target("http://h/"), parse_policies("trust:1s")
    with pytest.raises(PlanError, match="the policy 'trust:1s' is for users"):
        Plan(target, policies, Load(rate_rps=5))
    Plan(target, policies, Load())


def test_the_engine_obeys_it() -> None:
    clock = FakeClock()
    context = FakeContext(clock, "trust:50ms", think_s=0.049)
    user = ClosedLoopUser(context, 0, UserState(0, requests()))
    user.begin()
    context.made[0].open()
    context.made[0].answer()
    clock.pass_ms(49)
    assert len(context.made) == 1  # used again in time
    context.think_s = 0.051
    context.made[0].answer()
    clock.pass_ms(51)
    assert len(context.made) == 2
    assert context.made[0].closed
    assert context.sink.endings == [Ending.CLIENT_SILENT]


def test_a_comparison_ranks_it() -> None:
    policies = parse_policies("trust:1s,persistent,trust:1s+lifetime:1s")
    ranked = sorted(policies, key=lambda policy: policy.reuse_rank)
    assert [policy.name for policy in ranked] == ["trust:1s+lifetime:1s", "trust:1s", "persistent"]
    swept = cells(policies, 1, 0.0, "/", axes=NO_AXES)
    assert list(pairs(swept, swept=True)) == [
        ("persistent", "trust:1s"),
        ("persistent", "trust:1s+lifetime:1s"),
    ]
