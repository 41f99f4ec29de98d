"""When the loop's present events may have become ready, by a clock of the test's own."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.system import loop_lag
from loadgen.drive.system.loop_lag import LoopLag


class FakeWatcher:
    priority = 0
    stopped = closed = False

    def start(self, callback: Any) -> None:
        self.fire = callback

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.closed = True


class FakeLoop:
    """Its polls begin and end when a test says so."""

    def __init__(self) -> None:
        self.before, self.after = FakeWatcher(), FakeWatcher()

    def prepare(self, ref: bool) -> FakeWatcher:
        return self.before

    def check(self, ref: bool) -> FakeWatcher:
        return self.after


@pytest.fixture
def now_ns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [1_000_000]
    monkeypatch.setattr(loop_lag, "monotonic_ns", lambda: now[0])
    return now


def poll(loop: FakeLoop, now_ns: list[int], lasts_ns: int) -> int:
    """One poll; gives when it returned."""
    loop.before.fire()
    now_ns[0] += lasts_ns
    loop.after.fire()
    return now_ns[0]


def test_events_of_a_poll_that_waited_were_ready_as_it_returned(now_ns: list[int]) -> None:
    loop = FakeLoop()
    lag = LoopLag(loop)
    assert lag.ready_ns == now_ns[0]
    now_ns[0] += 300_000
    assert lag.ready_ns == 1_000_000
    returned_ns = poll(loop, now_ns, lasts_ns=50_000)
    assert lag.ready_ns == returned_ns


def test_events_of_a_poll_that_did_not_wait_may_have_been_ready_since_the_one_before(now_ns: list[int]) -> None:
    loop = FakeLoop()
    lag = LoopLag(loop)
    before_ns = poll(loop, now_ns, lasts_ns=50_000)
    now_ns[0] += 400_000  # handling that poll's events
    second_ns = poll(loop, now_ns, lasts_ns=1_000)
    assert lag.ready_ns == before_ns
    now_ns[0] += 400_000
    poll(loop, now_ns, lasts_ns=1_000)
    assert lag.ready_ns == second_ns


def test_its_stamp_comes_before_other_callbacks_and_ends_with_the_run(now_ns: list[int]) -> None:
    loop = FakeLoop()
    lag = LoopLag(loop)
    assert loop.after.priority == 2
    lag.stop()
    assert all(watcher.stopped and watcher.closed for watcher in (loop.before, loop.after))
