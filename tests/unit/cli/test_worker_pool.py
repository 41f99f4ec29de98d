"""A run's workers as their parent sees them: how it ends, who begins a block when, and what a signal does."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import worker_pool
from loadgen.cli.worker_pool import end_of, run_workers
from loadgen.startup import ENDING_SIGNALS

Event = dict[str, Any]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (["done", "died", "done"], "done"), (["died", "died"], "died"), (["done", "interrupted"], "interrupted"),
        (["interrupted", "disk_full"], "disk_full"), (["interrupted", "target"], "target"), (["died"], "died"),
    ],
)  # fmt: skip
def test_how_a_run_of_several_has_ended(ends: list[str], expected: str) -> None:
    assert end_of([{"end": end} for end in ends]) == {"end": expected}


class FakeProcess:
    """A worker process by script: for each line on its input, some of its lines on its output."""

    def __init__(self, script: dict[str, list[Event]]) -> None:
        self.script = script
        self.orders: list[Event] = []
        self.is_killed = False
        self._output, self._own_output = os.pipe()
        self.stdin = self
        self.stdout = self

    def fileno(self) -> int:
        return self._output

    def receive(self, order: Event) -> None:
        self.orders.append(order)
        self._say(self.script.get(next((kind for kind in ("go", "stop") if kind in order), "job"), []))

    def close(self) -> None:
        """Its standard input is closed."""
        if self._own_output is not None:
            self._say(self.script.get("closed", []))
            self.end()

    def end(self) -> None:
        if self._own_output is not None:
            os.close(self._own_output)
            self._own_output = None  # type: ignore[assignment] # it has ended

    def kill(self) -> None:
        self.is_killed = True
        self.end()

    def wait(self) -> int:
        return 0

    def poll(self) -> int | None:
        return 0 if self._own_output is None else None

    def __exit__(self, *_: object) -> None:
        os.close(self._output)

    def _say(self, events: list[Event]) -> None:
        for event in events:
            os.write(self._own_output, json.dumps(event).encode() + b"\n")
            if "end" in event or event.get("crash"):
                self.end()
                return


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeProcess]]:
    """The processes that the next workers are, in order; a test fills the list."""
    waiting: list[FakeProcess] = []
    begun: list[FakeProcess] = []

    def popen(*_: object, **__: object) -> FakeProcess:
        begun.append(waiting.pop(0))
        return begun[-1]

    def send(worker: Any, order: Event) -> None:
        if worker.process.poll() is None:
            worker.process.receive(order)

    monkeypatch.setattr(worker_pool.subprocess, "Popen", popen)
    monkeypatch.setattr(worker_pool._Worker, "send", send)
    yield waiting
    assert not waiting


def ran(count: int) -> tuple[list[Event], list[tuple[int, Event]]]:
    events: list[tuple[int, Event]] = []
    jobs = [(Path(f"w{number}"), {"plan": number}) for number in range(count)]
    return run_workers(jobs, None, lambda number, event: events.append((number, event))), events


def test_a_worker_gets_its_job_and_its_events_are_passed_on(processes: list[FakeProcess]) -> None:
    process = FakeProcess({"job": [{"observed": {}}, {"end": "done"}]})
    processes.append(process)
    ends, events = ran(1)
    assert ends == [{"end": "done"}]
    assert process.orders == [{"plan": 0}]
    assert events == [(0, {"observed": {}}), (0, {"end": "done"})]


def test_a_block_begins_when_all_are_ready(processes: list[FakeProcess]) -> None:
    pair = [FakeProcess({"job": [{"ready": 3}], "go": [{"end": "done"}]}) for _ in range(2)]
    processes.extend(pair)
    ends, events = ran(2)
    assert ends == [{"end": "done"}] * 2
    for number, process in enumerate(pair):
        assert process.orders == [{"plan": number}, {"go": 3}]
    first_end = next(index for index, (_, event) in enumerate(events) if "end" in event)
    assert {number for number, event in events[:first_end] if event == {"ready": 3}} == {0, 1}


def test_the_workers_end_once_no_block_is_needed(processes: list[FakeProcess]) -> None:
    script = {"job": [{"ready": 4}], "go": [{"ready": 5}], "stop": [{"end": "done"}]}
    pair = [FakeProcess(script) for _ in range(2)]
    processes.extend(pair)
    asked: list[int] = []

    def goes_on(block: int) -> bool:
        asked.append(block)
        return block < 5

    assert run_workers([(Path("w"), {})] * 2, None, lambda *_: None, goes_on) == [{"end": "done"}] * 2
    assert asked == [4, 5]
    assert [process.orders[1:] for process in pair] == [[{"go": 4}, {"stop": True}]] * 2


def test_the_others_go_on_without_one_that_died(processes: list[FakeProcess]) -> None:
    processes.extend(
        [
            FakeProcess({"job": [{"ready": 0}, {"crash": True}]}),
            FakeProcess({"job": [{"ready": 0}], "go": [{"end": "done"}]}),
        ]
    )
    ends, events = ran(2)
    assert ends == [{"end": "died"}, {"end": "done"}]
    assert (0, {"end": "died"}) in events


def test_one_that_ends_early_ends_all(processes: list[FakeProcess]) -> None:
    other = FakeProcess({"job": [{"ready": 0}], "closed": [{"end": "interrupted"}]})
    processes.extend([FakeProcess({"job": [{"end": "disk_full"}]}), other])
    ends, _ = ran(2)
    assert end_of(ends) == {"end": "disk_full"}
    assert ends[1] == {"end": "interrupted"}


@pytest.mark.parametrize("times", [1, 2])
def test_the_first_signal_asks_and_the_second_kills(processes: list[FakeProcess], times: int) -> None:
    script: dict[str, list[Event]] = {"job": [{"observed": {}}], "closed": [{"end": "interrupted"}]}
    process = FakeProcess(script)
    if times == 2:  # it does not end by itself
        process.close = lambda: None  # type: ignore[method-assign] # as said above
    processes.append(process)
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}

    def on_event(_number: int, event: Event) -> None:
        if "observed" in event:
            for _ in range(times):
                signal.raise_signal(signal.SIGTERM)

    try:
        (end,) = run_workers([(Path("w"), {})], None, on_event)
        assert end == {"end": "interrupted", "signal": signal.SIGTERM}
        assert process.is_killed == (times == 2)
        # What is left to do is short, and must not be lost.
        assert {signal.getsignal(number) for number in ENDING_SIGNALS} == {signal.SIG_IGN}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_signals_are_as_before_after_a_quiet_end(processes: list[FakeProcess]) -> None:
    before = signal.getsignal(signal.SIGINT)
    processes.append(FakeProcess({"job": [{"end": "done"}]}))
    ran(1)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_failure_here_leaves_no_process(processes: list[FakeProcess]) -> None:
    process = FakeProcess({"job": [{"observed": {}}]})
    processes.append(process)

    def fail(_number: int, _event: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_workers([(Path("w"), {})], None, fail)
    assert process.is_killed
