"""The begin of a block on a worker: all classes ready, then at the time that was given, or cut."""

from __future__ import annotations

import time

import gevent

from loadgen.swarm.block_start import BlockStart

MS = 1_000_000


def test_all_classes_get_ready_and_begin_at_the_given_time() -> None:
    ready: list[bool] = []
    start = BlockStart(["One", "Two"], waits=True, on_ready=lambda: ready.append(True))
    begun: list[int] = []
    one = gevent.spawn(lambda: (start.wait("One"), begun.append(time.monotonic_ns())))
    gevent.idle()
    start.ready("One")
    assert ready == []
    start.ready("Two")  # it never begins
    start_ns = time.monotonic_ns() + 10 * MS
    start.start_at(start_ns, {"clock_offset_ns": 7, "clock_error_ns": 1})
    one.join(timeout=10)
    assert ready == [True]
    assert begun[0] >= start_ns
    assert 0 <= start.late_ns <= begun[0] - start_ns
    assert (start.clock, start.is_cut) == ({"clock_offset_ns": 7, "clock_error_ns": 1}, False)


def test_a_time_that_is_over_is_at_once_and_said_to_be_late() -> None:
    start = BlockStart(["One"], waits=True, on_ready=lambda: None)
    start.start_at(time.monotonic_ns() - 20 * MS, {})
    with gevent.Timeout(5):
        start.wait("One")
    assert start.late_ns >= 20 * MS


def test_without_others_nobody_waits_and_nobody_is_told() -> None:
    start = BlockStart(["One"], waits=False, on_ready=lambda: 1 / 0)
    with gevent.Timeout(5):
        start.wait("One")
    assert start.late_ns == 0


def test_a_cut_ends_both_waits() -> None:
    start = BlockStart(["One", "Two"], waits=True, on_ready=lambda: None)
    waiting = [gevent.spawn(start.wait, name) for name in ("One", "Two")]
    gevent.idle()
    start.start_at(time.monotonic_ns() + 10**12, {})
    gevent.idle()
    start.cut()
    assert len(gevent.joinall(waiting, timeout=5)) == 2
    assert (start.is_cut, start.late_ns) == (True, 0)
