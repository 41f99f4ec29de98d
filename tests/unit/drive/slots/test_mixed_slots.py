"""Slots whose requests differ, over made-up transports: each connection carries what belongs to its number."""

from __future__ import annotations

import pytest

from loadgen.drive.requests.filled_request import RequestCounter
from loadgen.drive.requests.request_mix import RequestMix
from loadgen.drive.slots.mixed_slots import MixedPipelinedUser, MixedPooledSlot, MixedUser
from loadgen.drive.slots.workload import PerUserLoad, PooledLoad
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target
from tests.support.fake_network import FakeClock, FakeContext, cell

LINES = '{"url": "/a"}\n{"url": "/b"}\n{"url": "/c"}'
PLAN = Plan(parse_target("http://h/"), parse_policies("close"), requests=read_requests(LINES))


def mix(context: FakeContext) -> RequestMix:
    return RequestMix(
        PLAN,
        lambda one: lambda _is_last, _cookies: f"GET {one.path} HTTP/1.1\r\n\r\n".encode(),
        lambda: len(context.made),
        RequestCounter(),
    )


@pytest.mark.parametrize(("policy", "kind"), [("persistent", MixedUser), ("pipeline:4", MixedPipelinedUser)])
def test_users_of_a_mix(clock: FakeClock, policy: str, kind: type[MixedUser]) -> None:
    context = FakeContext(clock, policy)
    load = PerUserLoad(context, cell(policy, users=2), mix(context))
    assert [type(user) for user in load.users] == [kind] * 2


def test_a_pool_of_a_mix(clock: FakeClock) -> None:
    context = FakeContext(clock, "pool:1")
    load = PooledLoad(context, cell("pool:1", users=2), mix(context), 100, lambda: iter(()))
    load.users[0].begin()
    assert [type(slot) for slot in load.slots] == [MixedPooledSlot]
