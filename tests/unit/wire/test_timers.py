"""Timers for pauses: exact, each once, and none after it was cancelled."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event

from loadgen.wire import poller
from loadgen.wire.timers import TimerQueue

PATIENCE_S = 10
SOON_S = 0.001


def test_a_timer_calls_back_once_unless_it_is_cancelled() -> None:
    called: list[int] = []
    rang = Event()
    timer = poller.of_hub().timer(lambda: (called.append(1), rang.set()))  # type: ignore[func-returns-value] # both
    timer.begin(SOON_S)
    timer.cancel()
    timer.cancel()  # safe when no time is running
    timer.begin(2 * SOON_S)
    assert rang.wait(PATIENCE_S)
    assert called == [1]
    timer.begin(SOON_S)  # and again from the start
    rang.clear()
    assert rang.wait(PATIENCE_S)
    assert called == [1, 1]


def test_timers_end_in_the_order_in_which_they_are_due_and_never_early() -> None:
    queue = TimerQueue(gevent.get_hub().loop)
    ended: list[tuple[int, int]] = []
    last = Event()
    due: dict[int, int] = {}

    def begin(number: int, after_s: float) -> None:
        def end() -> None:
            ended.append((number, time.monotonic_ns()))
            if len(ended) == 3:
                last.set()

        timer = queue.timer(end)
        due[number] = time.monotonic_ns() + round(after_s * 1e9)
        timer.begin(after_s)

    try:
        for number, after_s in enumerate((0.003, 0.0012, 0.0017)):
            begin(number, after_s)
        assert last.wait(PATIENCE_S)
        assert [number for number, _ in ended] == [1, 2, 0]
        assert all(at_ns >= due[number] for number, at_ns in ended)
    finally:
        queue.close()


def test_an_error_in_a_callback_goes_to_the_loop_and_the_next_timer_still_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = gevent.get_hub()
    errors: list[type] = []
    monkeypatch.setattr(hub, "handle_error", lambda _context, kind, *_: errors.append(kind))
    queue = TimerQueue(hub.loop)
    rang = Event()

    def fail() -> None:
        raise OSError(28, "No space left on device")

    try:
        for callback in (fail, rang.set):
            queue.timer(callback).begin(SOON_S)
        assert rang.wait(PATIENCE_S)
        assert errors == [OSError]
    finally:
        queue.close()


def test_nothing_ends_once_the_queue_is_closed() -> None:
    queue = TimerQueue(gevent.get_hub().loop)
    called: list[Any] = []
    queue.timer(lambda: called.append(1)).begin(0)
    queue.close()
    queue.close()  # safe twice
    gevent.idle()
    assert called == []


def test_a_pause_takes_no_descriptor() -> None:
    """It may follow a request for which none was left."""
    queue = TimerQueue(gevent.get_hub().loop)
    before = len(list(Path("/proc/self/fd").iterdir()))
    queue.timer(lambda: None).begin(SOON_S)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    queue.close()
