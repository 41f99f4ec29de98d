"""The clock by which connections stamp their phases: handed in, so that a test can have its own. Knows no loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from loadgen.wire.syscalls import monotonic_ns


class Timer(Protocol):
    """Calls back once after each time that is begun, unless it is cancelled first."""

    def begin(self, seconds: float) -> None:
        """Call back after `seconds`; must not be called while an earlier time is running."""

    def cancel(self) -> None:
        """Do not call back; safe to call when no time is running."""


class PhaseClock:
    """The time now, timers, and when the events that are being handled became known. All in ns, monotonic."""

    __slots__ = ("polled_ns", "ready_ns")

    def __init__(self) -> None:
        self.polled_ns = 0
        """When the kernel told of the present events: a phase that one of them ends, ends here."""
        self.ready_ns = 0
        """The earliest time at which the kernel can have had them ready."""

    def monotonic_ns(self) -> int:
        """The time now (ns)."""
        return monotonic_ns()

    def timer(self, callback: Callable[[], None]) -> Timer:
        """A timer that is not running yet."""
        raise NotImplementedError


if __file__.endswith(".py"):
    # In pure Python a call within a call for each look would add a twentieth to what a request costs.
    PhaseClock.monotonic_ns = staticmethod(time.monotonic_ns)  # type: ignore[method-assign, assignment]
