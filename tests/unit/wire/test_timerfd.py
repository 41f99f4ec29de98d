"""A timer of the kernel's in gevent's loop: exact, and never early."""

from __future__ import annotations

import time

import gevent
from gevent.event import Event

from loadgen.wire.timerfd import TimerFd


def test_an_alarm_rings_once_and_never_early() -> None:
    rang: list[int] = []
    woken = Event()

    def ring() -> None:
        rang.append(time.monotonic_ns())
        woken.set()

    alarm = TimerFd(gevent.get_hub().loop, ring)
    try:
        for wait_ns in (3_000_000, 150_000, -5):
            woken.clear()
            due = time.monotonic_ns() + wait_ns
            alarm.set(due)
            assert woken.wait(5)
            assert rang[-1] >= due
        gevent.idle()
        assert len(rang) == 3
    finally:
        alarm.close()
        alarm.close()
