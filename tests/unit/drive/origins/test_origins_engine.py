"""A load over two origins: which connections are opened to each, and that rows say what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from loadgen.drive.origins.origin_context import OriginContext
from loadgen.drive.origins.origin_users import OriginUser
from loadgen.drive.origins.origins_load import OriginPoolsLoad, OwnSlotsLoad
from loadgen.drive.origins.pools_by_origin import PoolsByOrigin
from loadgen.measure.data.request_column import requests_of
from loadgen.model.errors import ErrorKind
from loadgen.model.records import EXCHANGE_FIELDS
from loadgen.model.request_choice import origin_of
from loadgen.model.units import NS_PER_MS
from tests.support.answering_transport import AnsweringTransport
from tests.support.origin_rig import OriginRig

Make = Callable[..., OriginRig]


class Refusing(AnsweringTransport):
    refuses = True


@pytest.fixture
def make(until_the_end: Callable[[OriginRig], OriginRig]) -> Make:
    return lambda *arguments, **load: until_the_end(OriginRig(*arguments, **load))


def rows_of(rig: OriginRig) -> Any:
    kind = np.dtype([(name, np.int64) for name in EXCHANGE_FIELDS])
    return np.array([tuple(row[name] for name in EXCHANGE_FIELDS) for row in rig.sink.exchanges], kind)


def sent(rig: OriginRig) -> Counter[tuple[str, str]]:
    """What the servers got: Host and path."""
    found: Counter[tuple[str, str]] = Counter()
    for route in rig.routes:
        for transport in route.made:
            for request in transport.requests:
                first, host, *_ = request.decode().split("\r\n")
                found[host.partition(": ")[2], first.split()[1]] += 1
    return found


@pytest.mark.parametrize(
    ("policy", "load", "opened"),
    [
        ("persistent", {}, (3, 3)),
        ("pool:2", {}, (2, 2)),
        ("recycle:3", {}, None),
        ("close", {}, None),
        ("preopen:3", {"users": 3, "warmup_ns": 0}, (3, 3)),
        ("persistent", {"rate_rps": 3000.0, "max_connections": 2}, None),
    ],
)
def test_each_origin_has_connections_of_its_own_and_rows_say_what_went_there(
    make: Make, policy: str, load: dict[str, Any], opened: tuple[int, int] | None
) -> None:
    rig = make(policy, **load)
    for origin in rig.engine.origins:
        assert rig.engine.preflight_of(origin) is None
    window = rig.run()
    assert rig.engine.account(window)["unstarted"] == 0
    assert set(rig.sink.column("outcome")) == {200}
    made = tuple(len(route.made) for route in rig.routes)
    if opened is not None:
        assert made == opened
    assert max(made) <= load.get("max_connections", 1_000)
    numbers = [row["connection"] for row in rig.sink.connections]
    assert Counter(origin_of(number, 2) for number in numbers) == {0: made[0], 1: made[1]}
    assert len(set(numbers)) == len(numbers) == sum(made)
    assert max(numbers) < rig.engine.connections
    assert len({row["slot"] for row in rig.sink.connections}) == len(numbers) if opened else True
    rows = rows_of(rig)
    names = requests_of([rig.facts], rows, np.zeros(len(rows), np.int64))
    counted = Counter(("img:82" if name == 1 else "h:81", f"/{'abc'[name]}") for name in names.tolist())
    assert counted == sent(rig)
    assert counted["h:81", "/a"] / len(rows) == pytest.approx(0.5, abs=0.1)
    assert counted["img:82", "/b"] / len(rows) == pytest.approx(0.25, abs=0.1)


def test_a_user_waits_until_the_connection_that_comes_next_has_rested(make: Make) -> None:
    rig = make("gap:5ms", users=1, block_ns=80 * NS_PER_MS)
    rig.run()
    assert [len(route.made) for route in rig.routes] == [1, 1]
    ended: dict[int, int] = {}
    rests = []
    for row in rig.sink.exchanges:
        number = row["connection"]
        if number in ended:
            rests.append(row["scheduled"] - ended[number])
        ended[number] = row["scheduled"] + row["send"] + row["wait"] + row["receive"]
    assert len(rests) > 6
    assert min(rests) >= 5 * NS_PER_MS


@pytest.mark.parametrize("policy", ["persistent", "pool:1"])
def test_a_block_has_the_requests_that_were_asked_for(make: Make, policy: str) -> None:
    rig = make(policy, requests=37, block_ns=10**10)
    window = rig.run()
    counted = [row for row in rig.sink.exchanges if window.begun_ns <= row["scheduled"]]
    assert len(counted) == 37
    assert rig.engine.to_end == 0


def test_an_origin_that_refuses_is_counted_and_the_other_goes_on(make: Make) -> None:
    rig = make("close", (AnsweringTransport, Refusing))
    first, second = rig.engine.origins
    assert rig.engine.preflight_of(first) is None
    failure = rig.engine.preflight_of(second)
    assert failure is not None
    assert failure[0] is ErrorKind.CONNECT_REFUSED
    window = rig.run()
    rig.engine.account(window)
    outcomes = Counter(rig.sink.column("outcome"))
    assert outcomes.keys() == {200, -ErrorKind.CONNECT_REFUSED}
    assert rig.engine.errors == outcomes[-ErrorKind.CONNECT_REFUSED]


def test_the_load_is_one_of_slots_or_of_pools(make: Make) -> None:
    own, pools = make("persistent").engine, make("pool:2").engine
    assert isinstance(own._load, OwnSlotsLoad)
    assert isinstance(pools._load, OriginPoolsLoad)
    assert all(isinstance(user, OriginUser) for user in own._load.users + pools._load.users)
    assert [type(one) for one in own.origins] == [OriginContext, OriginContext]
    shared = pools._load._pools
    assert isinstance(shared, PoolsByOrigin)
    shared.add_slots(5)
    assert sorted(slot.index for slot in shared.slots) == [0, 1, 2, 3]
    shared.serves_waiting = False
    assert [pool.serves_waiting for pool in shared.each] == [False, False]
