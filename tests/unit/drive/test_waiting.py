"""A wait lasts until its end, however long the loop's own time had stood still before."""

from __future__ import annotations

import time

import gevent
from gevent.event import Event

from loadgen.drive.waiting import wait_until


def compute(seconds: float) -> None:
    """Keep the process from its loop."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        pass


def test_a_wait_is_not_shorter_by_what_was_computed_before() -> None:
    gevent.sleep(0)
    compute(0.1)
    end_s = time.monotonic() + 0.05
    assert not wait_until(Event(), end_s)
    assert time.monotonic() >= end_s


def test_an_event_ends_it() -> None:
    event = Event()
    gevent.spawn(event.set)
    begun_s = time.monotonic()
    assert wait_until(event, begun_s + 10)
    assert time.monotonic() - begun_s < 5


def test_an_end_that_is_over_waits_for_nothing() -> None:
    event = Event()
    assert not wait_until(event, time.monotonic() - 1)
    event.set()
    assert wait_until(event, time.monotonic() - 1)
