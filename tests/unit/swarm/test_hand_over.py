"""How long the end of a run waits for its workers."""

from __future__ import annotations

import gevent

from loadgen.swarm.hand_over import HandOver
from tests.support.fake_swarm import Clock, until


def test_a_worker_is_given_up_by_when_it_was_last_heard_of() -> None:
    """One is there, one is gone since a while, one goes while it hands over."""
    clock, present, lost = Clock(), ["there", "goes"], list[str]()
    hand_over = HandOver(lambda: present, lost.__contains__, clock, 0.001)
    waiting = gevent.spawn(hand_over.wait, {"there": None, "gone": clock.now_s - 7, "goes": None}, lost.append)
    until(lambda: lost == ["gone"])
    clock.now_s += 100
    hand_over.heard("goes")
    present.remove("goes")
    clock.now_s += 5.9
    gevent.sleep(0.005)
    assert lost == ["gone"]
    clock.now_s += 0.2
    until(lambda: lost == ["gone", "goes"])
    hand_over.done("there")
    waiting.get(timeout=10)
