"""Messages of workers reach the run that they are about, and no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import loadgen.swarm.messages as messages
from loadgen.swarm.messaging import MessageChannel, Role
from loadgen.swarm.worker_messages import WorkerMessages
from tests.support.fake_swarm import FakeRunner
from tests.support.swarm_messages import sent


class Calls:
    """Any method of a run, of its coordinator or of its clocks: what was called, with what."""

    def __init__(self, name: str = "r") -> None:
        self.name = name
        self.calls: list[tuple[str, Any]] = []
        self.coordinator = self.start_times = self.clocks = self

    def __getattr__(self, method: str) -> Any:
        return lambda *arguments: self.calls.append((method, arguments))


class Rig:
    def __init__(self, *, loads: bool = True) -> None:
        self.run: Any = Calls()
        self.ended: list[Any] = []
        self.owner: Any = SimpleNamespace(
            run=self.run, is_under_way=loads, takes_workers=loads, end_if_alone=self.ended.append
        )
        self.runner = FakeRunner({"a": "ready"})
        self.messages = WorkerMessages(MessageChannel(self.runner, Role.MASTER), self.owner, None)

    def receive(self, kind: str, **changes: Any) -> list[tuple[str, Any]]:
        self.run.calls.clear()
        self.runner.receive(kind, "a", sent()[kind] | changes)
        return list(self.run.calls)


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (messages.BLOCK_READY, ("block_ready", ("a", 0, 1))),
        (messages.BLOCK_DONE, ("block_done", ("a", sent()[messages.BLOCK_DONE]))),
        (messages.WORKER_FAILED, ("worker_failed", ("a", "m"))),
        (messages.CLOCK_ANSWER, ("take_answer", ("a", {"asked_ns": 1, "clock_ns": 2, "clock_id": "c"}))),
    ],
)
def test_a_message_of_the_present_run_reaches_it(kind: str, call: tuple[str, Any]) -> None:
    rig = Rig()
    assert rig.receive(kind) == [call]
    if kind != messages.CLOCK_ANSWER:  # which is about the process, and not about a run
        assert rig.receive(kind, run="earlier") == []
    rig.owner.run = None
    assert rig.receive(kind) == []


def test_a_worker_that_failed_may_have_been_the_last(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.receive(messages.WORKER_FAILED)
    assert rig.ended == [rig.run]
    rig.runner.receive(messages.BLOCK_DONE, "a", {"run": "r"})
    assert [name for name, _ in rig.run.calls] == ["worker_failed", "misfit"]
    assert rig.ended == [rig.run] * 2
    assert caplog.text == ""


def test_between_runs_a_message_that_is_none_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(loads=False)
    rig.runner.receive(messages.BLOCK_DONE, "a", {"run": "r"})
    assert (rig.run.calls, rig.ended) == ([], [])
    assert "worker 0 (a) sent a message that is none of its kind (loadgen_block_done" in caplog.text
