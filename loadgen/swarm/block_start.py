"""The begin of a block on a worker: all its user classes get ready, and then begin when the coordinating process says.

Orders nothing itself, and knows no request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TypedDict

from gevent.event import Event

from loadgen.drive.waiting import wait_until
from loadgen.model.units import NS_PER_S


class ClockFacts(TypedDict, total=False):
    """What a block's facts say of the clock of its times."""

    clock_offset_ns: int
    clock_error_ns: int


class BlockStart:
    """waits: there are other workers, so that a block begins at a given time, and not as soon as it can.

    classes: the user classes that begin it here. on_ready: called once all of them are ready.
    """

    def __init__(self, classes: Collection[str], waits: bool, on_ready: Callable[[], None]) -> None:
        self.clock: ClockFacts = {}
        """How this process's clock is related to the coordinating process's, as far as that is known."""
        self.late_ns = 0
        """By how much the last class began later than it was to."""
        self._unready = set(classes)
        self._waits = waits
        self._on_ready = on_ready
        self._start_ns = 0
        self._is_known = Event()
        """When to begin is known."""
        self._is_cut = Event()

    def ready(self, user_class: str) -> None:
        """A user class is ready, or will not begin at all; a second call changes nothing."""
        if user_class in self._unready:
            self._unready.discard(user_class)
            if self._waits and not self._unready:
                self._on_ready()

    def wait(self, user_class: str) -> None:
        """Called by a user class that is ready: wait for the time at which all begin, or until the block is cut."""
        self.ready(user_class)
        if not self._waits:
            return
        self._is_known.wait()
        wait_until(self._is_cut, self._start_ns / NS_PER_S)
        if self._start_ns:
            self.late_ns = max(self.late_ns, time.monotonic_ns() - self._start_ns)

    @property
    def is_cut(self) -> bool:
        return bool(self._is_cut.is_set())

    def start_at(self, start_ns: int, clock: ClockFacts) -> None:
        """Begin at this time of the own clock (ns); at once where it is 0 or over."""
        self._start_ns = start_ns
        self.clock = clock
        self._is_known.set()

    def cut(self) -> None:
        """The block is cut: nobody waits any longer."""
        self._is_cut.set()
        self._is_known.set()
