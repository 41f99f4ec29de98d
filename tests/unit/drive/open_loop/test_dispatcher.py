"""Arrivals handed to a pool when they are due, which is faked here."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from gevent.event import Event

from loadgen.drive.open_loop.dispatcher import ArrivalDispatcher
from loadgen.drive.open_loop.due_times import due_ns
from loadgen.drive.slots.context import SlotContext
from loadgen.wire.clock import PhaseClock
from tests.support.row_sink import RowSink

MS, S_NS = 1_000_000, 1_000_000_000


class Noted:
    """Stands in for a pool."""

    def __init__(self) -> None:
        self.submitted: list[tuple[int, int]] = []
        self.enough = Event()

    def submit(self, user: None, due_ns: int, late_ns: int) -> None:
        self.submitted.append((due_ns, late_ns))
        if len(self.submitted) == 20:
            self.enough.set()


def overdue(dues: Iterator[int], asked: int = 0) -> tuple[Noted, ArrivalDispatcher, int]:
    pool = Noted()
    context = SlotContext(RowSink(), PhaseClock())
    begun = time.monotonic_ns()
    if asked:
        context.asked = asked
        context.count_from(begun + MS)
    return pool, ArrivalDispatcher(pool, dues, begun, context), begun


def test_arrivals_begin_when_they_are_due() -> None:
    pool, arrivals, begun = overdue(due_ns(2000, "constant", 1))
    assert pool.enough.wait(5)
    arrivals.stop()
    assert [due - begun for due, _ in pool.submitted[:20]] == list(itertools.islice(due_ns(2000, "constant", 1), 20))
    assert all(late >= 0 for _, late in pool.submitted)


def test_arrivals_that_never_began_are_known() -> None:
    # The first is due in an hour; a minute later it would still be 60 due in the minute after that.
    hour = 3600 * S_NS
    pool, arrivals, begun = overdue(hour + number * S_NS for number in itertools.count())
    arrivals.stop()
    assert pool.submitted == []
    assert len(list(arrivals.overdue(begun + hour + 60 * S_NS))) == 60


def test_of_arrivals_within_the_window_exactly_as_many_begin_as_were_asked_for() -> None:
    # One each 0.1 ms; those of the first millisecond are due before the window begins.
    pool, arrivals, begun = overdue((number * MS // 10 for number in itertools.count()), asked=10)
    assert pool.enough.wait(5)
    time_over = Event()
    assert not time_over.wait(0.005)
    arrivals.stop()
    assert [due - begun for due, _ in pool.submitted] == [number * MS // 10 for number in range(20)]
    assert list(arrivals.overdue(begun + 60 * S_NS)) == []
