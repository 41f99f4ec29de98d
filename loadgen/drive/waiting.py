"""Waits for an event until a point in time, however late the loop is. Knows no block and no user."""

from __future__ import annotations

import time

import gevent
from gevent.event import Event


def wait_until(event: Event, end_s: float) -> bool:
    """Wait until `event` is set (True), or until `time.monotonic()` reaches `end_s` (False).

    libev counts a timer from the loop's own time, which stands still while the process computes or gets no CPU: a plain
    wait would end early by that much.
    """
    loop = gevent.get_hub().loop
    while (left_s := end_s - time.monotonic()) > 0:
        loop.update_now()
        if event.wait(left_s):
            return True
    return bool(event.is_set())
