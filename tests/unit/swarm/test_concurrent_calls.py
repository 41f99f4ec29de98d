"""Calls made together: all begin before one ends, and what they gave or raised."""

from __future__ import annotations

from functools import partial

import gevent
import pytest
from gevent.event import Event

from loadgen.swarm.concurrent_calls import call_together, join_before_exit


class Calls:
    """Each says that it began, waits until it is let go on, and gives its name; one called `bad…` raises it."""

    def __init__(self) -> None:
        self.go_on = Event()
        self.begun: list[str] = []
        self.ended: list[str] = []

    def call(self, name: str) -> str:
        self.begun.append(name)
        if name.startswith("bad"):
            raise ValueError(name)
        self.go_on.wait()
        self.ended.append(name)
        return name

    def together(self, *names: str) -> list[str]:
        return call_together([partial(self.call, name) for name in names])


def test_all_begin_before_one_ends_and_results_keep_their_order() -> None:
    calls = Calls()
    found = gevent.spawn(calls.together, "a", "b", "c")
    gevent.idle()
    assert (calls.begun, calls.ended) == (["a", "b", "c"], [])
    calls.go_on.set()
    assert found.get(timeout=5) == ["a", "b", "c"]


def test_the_first_exception_is_raised_when_all_have_ended(capfd: pytest.CaptureFixture[str]) -> None:
    calls = Calls()
    gevent.spawn(calls.go_on.set)
    with pytest.raises(ValueError, match="bad 1"):
        calls.together("a", "bad 1", "bad 2", "b")
    assert calls.ended == ["a", "b"]
    assert capfd.readouterr().err == ""


def test_none_goes_on_without_the_greenlet_that_waits() -> None:
    calls = Calls()
    found = gevent.spawn(calls.together, "a", "b")
    gevent.idle()
    found.kill()
    calls.go_on.set()
    gevent.idle()
    assert (calls.begun, calls.ended) == (["a", "b"], [])


def test_who_waits_for_the_end_of_something_is_killed_after_it() -> None:
    goes_on = Event()
    steps: list[str] = []
    work = gevent.spawn(goes_on.wait)

    def waiting() -> None:
        join_before_exit(work)
        steps.append("is over")
        gevent.sleep(0)
        gevent.sleep(0)
        steps.append("lives")

    waits = gevent.spawn(waiting)
    gevent.idle()
    waits.kill(block=False)
    gevent.idle()
    assert not waits.ready()
    goes_on.set()
    waits.join()
    assert (work.successful(), steps) == (True, ["is over"])


def test_who_is_not_killed_lives_on() -> None:
    work = gevent.spawn(gevent.sleep, 0)
    join_before_exit(work)
    gevent.sleep(0)
    assert work.ready()
