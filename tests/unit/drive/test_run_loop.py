"""A run: its blocks in order, those left out, the gate before each, and its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gevent
import pytest

from loadgen.drive import run_loop
from loadgen.drive.run_loop import RunLoop
from loadgen.drive.schedule import Block, blocks
from loadgen.model.named_target import NamedTarget
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.sample_sink import RunSink
from loadgen.model.target import parse_target
from loadgen.wire import poller
from tests.support.fake_network import FakeRoute

PLAN = Plan(parse_target("http://h/"), parse_policies("persistent,close,recycle:2"), Load(rounds=2))


class FakeBlocks:
    """Runs nothing, and notes it."""

    def __init__(self, _plan: Plan, _route: Any, engine: Any, *_: Any) -> None:
        self.engine = engine
        self.ran: list[int] = []
        self.closed = False
        self.on_run: Any = lambda _block: None

    def run(self, block: Block) -> None:
        self.ran.append(block.index)
        self.on_run(block)

    def close(self) -> None:
        self.closed = True


class Sink(RunSink):
    exchanges = 42


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's handler of errors is restored, as the rest of the tests share it."""
    monkeypatch.setattr(run_loop, "BlockRunner", FakeBlocks)
    hub = gevent.get_hub()
    monkeypatch.setattr(hub, "handle_error", hub.handle_error)  # RunLoop replaces it


class Rig:
    def __init__(self, **values: Any) -> None:
        self.reports: list[dict[str, Any]] = []
        self.loop = RunLoop(PLAN, lambda _: FakeRoute(poller.of_hub()), Sink(), self.reports.append, **values)
        self.blocks: FakeBlocks = self.loop._blocks[None]  # type: ignore[assignment] # the fake

    def run(self) -> bool:
        try:
            return self.loop.run()
        finally:
            self.loop._engine.close()


def test_every_block_runs_in_the_schedules_order() -> None:
    rig = Rig()
    assert rig.run()
    assert rig.blocks.ran == [block.index for block in blocks(PLAN)] == list(range(6))
    assert rig.blocks.closed
    assert rig.reports == [{"exchanges": 42, "errors": 0}] * 6


def test_of_a_number_of_requests_it_reports_the_share_that_has_ended() -> None:
    rig = Rig()
    engine = rig.blocks.engine

    def ask(block: Block) -> None:
        engine.asked = 4
        if block.index:  # the window of the first has not begun
            engine.to_end = 4 - block.index

    rig.blocks.on_run = ask
    rig.run()
    assert [report["share"] for report in rig.reports[:4]] == [0.0, 0.25, 0.5, 0.75]


def test_blocks_of_an_earlier_part_of_the_run_are_left_out() -> None:
    rig = Rig(skip=frozenset({0, 3}), connections=5)
    assert rig.run()
    assert rig.blocks.ran == [1, 2, 4, 5]
    assert rig.blocks.engine.connections == 5


def test_each_target_has_an_engine_and_a_connection_s_number_is_its_own() -> None:
    targets = tuple(NamedTarget(name, parse_target(f"http://{name}/")) for name in ("a", "b"))
    plan, reports = replace(PLAN, target=targets[0].target, targets=targets), list[dict[str, Any]]()
    loop = RunLoop(plan, lambda _: FakeRoute(poller.of_hub()), Sink(), reports.append, connections=3)
    ran: list[str] = []

    def note(name: str, runner: Any) -> Any:
        def run(block: Block) -> None:
            assert runner.engine.connections == 3 + 2 * len(ran)
            runner.engine.continue_from(runner.engine.connections + 2)  # as if it had opened two
            runner.engine.errors += 1
            ran.append(f"{block.cell.target} on {name}")

        return run

    runners: Any = loop._blocks
    for name, runner in runners.items():
        runner.on_run = note(name, runner)
    assert loop.run()
    assert {name: engine.url for name, engine in loop._engines.items()} == {"a": "http://a/", "b": "http://b/"}
    assert sorted(ran) == ["a on a"] * 6 + ["b on b"] * 6
    assert reports[-1] == {"exchanges": 42, "errors": 12}
    assert all(runner.closed for runner in runners.values())
    loop.interrupt()
    for engine in loop._engines.values():
        assert engine.interrupted
        engine.close()


def test_a_gate_that_stays_shut_ends_the_run() -> None:
    asked: list[int] = []

    def gate(block: Block) -> bool:
        asked.append(block.index)
        return block.index < 2

    rig = Rig(gate=gate)
    assert not rig.run()
    assert asked == [0, 1, 2]
    assert rig.blocks.ran == [0, 1]
    assert rig.blocks.closed


def test_an_interruption_ends_the_run_after_the_present_block() -> None:
    rig = Rig()
    rig.blocks.on_run = lambda block: rig.loop.interrupt() if block.index == 1 else None
    assert not rig.run()
    assert rig.blocks.ran == [0, 1]


def test_an_error_in_a_callback_of_the_loop_ends_the_run() -> None:
    rig = Rig()
    failed: list[BaseException] = []
    rig.blocks.engine.fail = failed.append
    error = OSError(28, "No space left on device")
    gevent.get_hub().handle_error(None, OSError, error, None)
    assert failed == [error]
    rig.run()


def test_a_block_that_raises_leaves_nothing_running() -> None:
    rig = Rig()

    def fail(_block: Block) -> None:
        raise OSError(28, "No space left on device")

    rig.blocks.on_run = fail
    with pytest.raises(OSError, match="No space"):
        rig.run()
    assert rig.blocks.closed
