"""Greenlets that somebody waits for: several calls at the same time, or one that must end first. Knows no Locust."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import gevent

T = TypeVar("T")


def call_together(calls: Iterable[Callable[[], T]]) -> list[T]:
    """What each call gives, in the order of the calls, when all have ended.

    Where some raised an exception, the first one in that order is raised then. An exception that is thrown into the
    greenlet that waits ends them all.
    """
    greenlets = [gevent.spawn(_outcome, call) for call in calls]
    try:
        gevent.joinall(greenlets)
    except BaseException:
        gevent.killall(greenlets)
        raise
    results: list[T] = []
    for greenlet in greenlets:
        result, error = greenlet.get()
        if error is not None:
            raise error
        results.append(result)
    return results


def _outcome(call: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """An error is a value, for gevent prints one that a greenlet raises."""
    try:
        return call(), None
    except Exception as error:
        return None, error


def join_before_exit(greenlet: gevent.Greenlet) -> None:
    """Wait for the greenlet's end. One that waits and is killed meanwhile ends at its next wait after that."""
    was_killed = False
    while not greenlet.ready():
        try:
            greenlet.join()
        except gevent.GreenletExit:
            was_killed = True
    if was_killed:
        gevent.spawn(gevent.getcurrent().kill, block=False)
