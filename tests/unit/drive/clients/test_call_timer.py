"""The time limit of one call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.event import Event

from loadgen.drive.clients.call_timer import SlotTimer


class Slot:
    """With a connection that says when it was ended."""

    def __init__(self, busy: bool) -> None:
        self.expired = Event()
        self.connection: Any = SimpleNamespace(busy=busy, expire=self.expired.set)


def test_an_exchange_ends_when_its_time_is_over() -> None:
    slot, timed = Slot(busy=True), set[Any]()
    timer = SlotTimer(slot, 0.001, timed)
    assert timed == {slot}
    assert slot.expired.wait(5)
    timer.stop()
    assert timed == set()


@pytest.mark.parametrize("connection", [None, SimpleNamespace(busy=False, expire=lambda: pytest.fail("it is idle"))])
def test_a_slot_without_an_exchange_is_left_alone(connection: Any) -> None:
    slot = Slot(busy=True)
    slot.connection = connection
    timer = SlotTimer(slot, 0.0, set())
    gevent.idle()
    timer.stop()
    assert not slot.expired.is_set()


def test_a_timer_that_was_stopped_ends_nothing() -> None:
    slot = Slot(busy=True)
    SlotTimer(slot, 0.0, set()).stop()
    gevent.idle()
    assert not slot.expired.is_set()
