"""What this machine's clock and scheduler cost any process: reading the time, waking for a timer, asking a neighbour.

Plain system calls, without the engine. Knows no phase and no HTTP but the bytes that it is given.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator
from itertools import pairwise

from loadgen.model.calibration import ClockCost
from loadgen.model.exceptions import TargetError
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.wire.timerfd import TimerSetting, open_timer, set_timer

_READINGS = 20_000
_PAUSE_NS = NS_PER_MS
_PATIENCE_S = 5.0
_READ_BYTES = 1 << 16


def clock_cost() -> ClockCost:
    """Of the monotonic clock, which stamps all phases."""
    now = time.monotonic_ns
    stamps = [now() for _ in range(_READINGS)]
    steps = [later - earlier for earlier, later in pairwise(stamps) if later > earlier]
    return {
        "resolution_ns": max(1, round(time.get_clock_info("monotonic").resolution * NS_PER_S)),
        "step_ns": min(steps, default=0),
        "read_ns": round((stamps[-1] - stamps[0]) / (_READINGS - 1)),
    }


def wake_ups(count: int, address: tuple[str, int], request: bytes) -> tuple[list[int], list[int]]:
    """How late a process wakes for a timer, and how long a request to another process takes; `count` of each (ns).

    Each time the process rests for a millisecond, as an engine does that is not busy, and then asks the server at
    `address`, which answers `request` at once and in one piece. Raises TargetError where it does not.
    """
    late_ns, round_trips_ns = [], []
    try:
        with socket.create_connection(address, _PATIENCE_S) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for late in _timer_delays(count):
                late_ns.append(late)
                begun_ns = time.monotonic_ns()
                link.sendall(request)
                if not link.recv(_READ_BYTES):
                    raise TargetError("the null target closed its connection")
                round_trips_ns.append(time.monotonic_ns() - begun_ns)
    except OSError as error:
        raise TargetError(f"the null target does not answer: {error.strerror or error}") from None
    return late_ns, round_trips_ns


def _timer_delays(count: int) -> Iterator[int]:
    """By how much each of `count` timers was late (ns)."""
    timer, setting = open_timer(), TimerSetting()
    poll = select.epoll()
    try:
        poll.register(timer, select.EPOLLIN)
        for _ in range(count):
            due_ns = time.monotonic_ns() + _PAUSE_NS
            set_timer(timer, due_ns, setting)
            poll.poll()
            woken_ns = time.monotonic_ns()
            os.read(timer, 8)
            yield woken_ns - due_ns
    finally:
        poll.close()
        os.close(timer)
