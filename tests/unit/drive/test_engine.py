"""One process's load over a network without a kernel, whose server answers in the loop's next turn."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from loadgen.drive.engine import Engine, users_due
from loadgen.drive.schedule import Block, blocks
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.records import Ending
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from loadgen.wire import poller
from loadgen.wire.route import Route
from tests.support.answering_transport import AnsweringTransport
from tests.support.fake_network import FakeRoute, FakeSink

Make = Callable[..., "Rig"]


class Rig:
    """An engine with the plan's first block prepared."""

    def __init__(self, policy: str, server: type[AnsweringTransport] = AnsweringTransport, **load: Any) -> None:
        values = {"users": 3, "rounds": 1, "block_ns": 30 * NS_PER_MS, "warmup_ns": 10 * NS_PER_MS, **load}
        self.plan = Plan(parse_target("http://h:81/"), parse_policies(policy), Load(**values))
        self.route = FakeRoute(poller.of_hub(), server)
        self.sink = FakeSink()
        self.engine = Engine(self.plan, self.route, self.sink)
        self.block: Block = next(blocks(self.plan))
        self.engine.prepare(self.block)
        self.windows: list[int] = []

    def run(self) -> Any:
        return self.engine.run(self.block, self.windows.append)


@pytest.fixture
def make(until_the_end: Callable[[Rig], Rig]) -> Make:
    return lambda policy="persistent", server=AnsweringTransport, **load: until_the_end(Rig(policy, server, **load))


@pytest.mark.parametrize(("policy", "opened"), [("preopen:2", 2), ("preopen:9", 3), ("pool:2+preopen:9", 2)])
def test_connections_are_opened_before_the_load(make: Make, policy: str, opened: int) -> None:
    rig = make(policy, warmup_ns=0)
    window = rig.run()
    before = [index for index, at in zip(*map(rig.sink.column, ("request_index", "scheduled")), strict=True)
              if at < window.begun_ns]  # fmt: skip
    assert before == [0] * opened
    assert len(rig.sink.connections) == (2 if "pool" in policy else 3)
    assert len(rig.sink.column("outcome")) > 20


def test_a_block_ends_although_connections_wait_for_their_turn(make: Make) -> None:
    rig = make("close+connect-rate:1")
    rig.run()
    assert Ending.NOT_OPENED in rig.sink.endings
    assert rig.sink.column("outcome").count(-ErrorKind.UNFINISHED) == 3 - len(rig.route.made) + 1


@pytest.mark.parametrize("policy", ["persistent", "close", "recycle:7", "pool:2", "pipeline:3", "lifetime:5ms"])
def test_a_block_has_a_warm_up_a_window_and_an_end(make: Make, policy: str) -> None:
    rig = make(policy)
    assert rig.engine.preflight() is None
    window = rig.run()
    assert rig.windows == [window.begun_ns]
    # At least: a busy machine is late with both.
    assert window.ended_ns - window.begun_ns > 0
    assert window.cpu_ns > 0
    assert rig.engine.whole
    assert set(rig.sink.column("outcome")) == {200}
    assert {row["user"] for row in rig.sink.exchanges} == {0, 1, 2}
    # Every connection has ended and been recorded, and every request of it was answered.
    assert len(rig.sink.connections) == len(rig.route.made) == rig.engine.connections
    assert all(transport.closed for transport in rig.route.made)
    assert rig.engine.account(window) == {"unstarted": 0}


@pytest.mark.parametrize(("turn_s", "turns"), [(0.01, 50), (0.05, 21), (0.4, 4)])
def test_the_ramp_does_not_outlast_its_time_however_long_a_turn_of_the_loop_takes(turn_s: float, turns: int) -> None:
    started = [users_due(0, 5000, 0, 1)]
    while started[-1] < 5000:
        elapsed_s = len(started) * max(turn_s, 1 / 50)  # the next batch is due after 1/50 of the ramp
        started.append(users_due(started[-1], 5000, elapsed_s, 1))
    assert len(started) == turns
    assert started[0] == 100


def test_without_a_ramp_users_begin_in_batches() -> None:
    assert [users_due(started, 250, 0.5, 0) for started in (0, 100, 200)] == [100, 200, 250]


def test_the_load_goes_on_from_the_first_request(make: Make) -> None:
    rig = make("persistent", users=1)
    rig.engine.preflight()
    assert len(rig.sink.exchanges) == 1
    rig.run()
    assert rig.engine.connections == 1
    assert rig.sink.column("request_index") == list(range(len(rig.sink.exchanges)))


@pytest.mark.parametrize(
    ("policy", "load"),
    [
        ("persistent", {}),
        ("persistent", {"think_ns": 5 * NS_PER_MS}),
        ("close", {}),
        ("pipeline:3", {}),
        ("pool:2", {}),
        ("gap:5ms", {}),
        ("persistent", {"rate_rps": 1_000.0}),
        ("pool:2", {"rate_rps": 1_000.0}),
    ],
)
def test_without_a_warm_up_every_request_but_the_runs_first_is_counted(
    make: Make, policy: str, load: dict[str, Any]
) -> None:
    rig = make(policy, warmup_ns=0, **load)
    assert rig.engine.preflight() is None
    window = rig.run()
    assert rig.windows == [window.begun_ns]
    due = sorted(rig.sink.column("scheduled"))
    assert len(due) > 3
    assert due[0] < window.begun_ns <= due[1]
    handshakes = [row["connection"] for row in rig.sink.exchanges if row["request_index"] == 0]
    assert len(handshakes) == len(rig.sink.connections)


class Refusing(AnsweringTransport):
    refuses = True


class Resetting(AnsweringTransport):
    """Resets each connection on which a second request comes."""

    def _answer_all(self, times: int) -> None:
        if len(self.requests) > 1:
            self.reset()
        else:
            super()._answer_all(times)


@pytest.mark.parametrize("warmup_ms", [0, 2])
@pytest.mark.parametrize(
    ("policy", "load"),
    [
        ("persistent", {}),
        ("persistent", {"think_ns": NS_PER_MS}),
        ("persistent", {"users": 40}),
        ("persistent", {"server": Resetting}),
        ("close", {}),
        ("close", {"server": Refusing, "users": 1}),
        ("recycle:3", {}),
        ("gap:1ms", {}),
        ("pool:2", {}),
        ("pool:2", {"think_ns": NS_PER_MS}),
        ("pipeline:3", {}),
        ("pipeline:5", {"users": 1, "server": Resetting}),
        ("persistent", {"rate_rps": 5_000.0}),
        ("pool:1", {"rate_rps": 20_000.0, "arrivals": "poisson"}),
    ],
)
def test_a_number_of_requests_is_met_exactly(make: Make, policy: str, load: dict[str, Any], warmup_ms: int) -> None:
    values = {"rounds": 20, "requests": 245, "block_ns": 10_000 * NS_PER_MS, "warmup_ns": warmup_ms * NS_PER_MS}
    rig = make(policy, **values | load)
    counts = []
    for block in blocks(rig.plan):
        rig.engine.prepare(block)
        del rig.sink.exchanges[:]
        window = rig.engine.run(block, rig.windows.append)
        assert rig.engine.whole
        counts.append(sum(window.begun_ns <= row["scheduled"] < window.ended_ns for row in rig.sink.exchanges))
        account = rig.engine.account(window)
        assert account["unstarted"] == 0
        assert account.get("due", counts[-1]) == counts[-1]
        assert all(transport.closed for transport in rig.route.made)
    assert counts == [13] * 5 + [12] * 15


def test_a_block_whose_time_is_over_before_its_requests_are_sent_ends_with_it(make: Make) -> None:
    rig = make(requests=1_000_000, block_ns=200 * NS_PER_MS)
    window = rig.run()
    begun = sum(window.begun_ns <= row["scheduled"] < window.ended_ns for row in rig.sink.exchanges)
    assert begun == 1_000_000 - rig.engine.left
    assert 0 < begun < 1_000_000
    assert rig.engine.whole


def test_a_first_request_that_fails_says_how(make: Make) -> None:
    rig = make(server=Refusing)
    assert rig.engine.preflight() == (ErrorKind.CONNECT_REFUSED, "Connection refused")
    assert rig.sink.endings == [Ending.NOT_OPENED]


class Silent(AnsweringTransport):
    is_silent = True


def test_an_interruption_leaves_no_request_behind(make: Make) -> None:
    rig = make(server=Silent)
    gevent.spawn_later(0.015, rig.engine.interrupt)
    rig.run()
    assert not rig.engine.whole
    assert rig.sink.column("outcome") == [-ErrorKind.UNFINISHED] * 3
    assert rig.sink.endings == [Ending.CLIENT_GAVE_UP] * 3


def test_an_interruption_within_the_warm_up_leaves_an_empty_window(make: Make) -> None:
    rig = make(block_ns=10_000 * NS_PER_MS, warmup_ns=5_000 * NS_PER_MS)
    gevent.spawn_later(0.005, rig.engine.interrupt)
    window = rig.run()
    assert rig.windows == []
    assert window.begun_ns == window.ended_ns


def test_a_block_that_is_ended_early_ends_as_it_would_have(make: Make) -> None:
    rig = make(block_ns=10_000 * NS_PER_MS)
    gevent.spawn_later(0.015, rig.engine.end_block)
    rig.run()
    assert not rig.engine.whole
    assert not rig.engine.interrupted
    assert set(rig.sink.column("outcome")) == {200}
    assert set(rig.sink.endings) == {Ending.CLIENT_SILENT}
    rig.engine.prepare(rig.block)
    assert rig.engine.whole


def test_an_error_of_a_callback_ends_the_block(make: Make) -> None:
    rig = make(block_ns=10_000 * NS_PER_MS)
    error = OSError(28, "No space left on device")
    gevent.spawn_later(0.005, rig.engine.fail, error)
    with pytest.raises(OSError, match="No space") as caught:
        rig.run()
    assert caught.value is error


def test_requests_that_wait_at_the_end_get_a_moment_and_then_no_connection(make: Make) -> None:
    rig = make("pool:1", server=Silent, timeout_ns=200 * NS_PER_MS)
    window = rig.run()
    # One was sent and came to its deadline; the two that waited for its connection are counted, not sampled.
    assert rig.sink.column("outcome") == [-ErrorKind.RESPONSE_TIMEOUT]
    assert rig.engine._prepared.waiting == 2
    assert set(rig.engine.account(window)) == {"unstarted"}


def test_an_open_loop_begins_what_is_due(make: Make) -> None:
    rig = make("persistent", rate_rps=1000.0, max_connections=5)
    window = rig.run()
    account = rig.engine.account(window)
    in_window = sum(window.begun_ns <= row["scheduled"] < window.ended_ns for row in rig.sink.exchanges)
    assert account["due"] == in_window + account["unstarted"]
    assert account["due"] > 0
    assert all(row["late"] >= 0 for row in rig.sink.exchanges)
    assert rig.engine.connections <= 5


def test_the_monitor_sees_the_block_from_its_beginning_to_its_end(make: Make) -> None:
    rig = make("close", users=1)
    heard: list[str] = []

    class Monitor:
        def begin(self, block: Block) -> None:
            heard.append(f"begin {block.index}")

        def window_begins(self) -> None:
            heard.append("window begins")

        def window_ends(self, open_connections: list[Any]) -> None:
            heard.append("window ends")

        def about_to_close(self, _connection: Any) -> None:
            heard.append("closing")

    rig.engine.monitor = Monitor()  # type: ignore[assignment] # it only listens
    rig.run()
    assert [word for word in heard if word != "closing"] == ["begin 0", "window begins", "window ends"]
    assert heard[-1] == "window ends"  # what ends after the block is no cost of its own
    assert "closing" in heard


class Cycle:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_earlier_blocks_left_is_collected_and_the_rest_frozen_for_the_load(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector would stop the load for as long as it takes to look at everything."""
    monkeypatch.setattr("loadgen.drive.engine.gc", gc)  # the tests do without
    left = Cycle()
    is_there = weakref.ref(left)
    del left
    frozen: list[int] = []
    rig = make()
    rig.engine.run(rig.block, lambda _: frozen.append(gc.get_freeze_count()))
    gc.unfreeze()
    assert is_there() is None
    assert frozen[0] > 0


@pytest.mark.parametrize(("policy", "is_tunnelled"), [("websocket", True), ("persistent", False)])
def test_a_block_s_way_is_that_of_its_policy(policy: str, is_tunnelled: bool) -> None:
    proxy = parse_proxy("http://p:3128")
    plan = Plan(parse_target("http://h/"), parse_policies(policy), proxy=proxy)
    route = Route(plan.target, proxy=proxy, tunnels=not is_tunnelled)
    engine = Engine(plan, route, FakeSink())
    engine.prepare(next(blocks(plan)))
    assert route.tunnels is is_tunnelled
    engine.close()
