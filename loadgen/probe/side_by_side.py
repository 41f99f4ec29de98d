"""Several waits of one probe at the same time. Knows no probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import gevent

from loadgen.probe.failures import ProbeFailure, text_of
from loadgen.wire.errors import FAILURES

T = TypeVar("T")

APART_S = 0.2
"""Between the starts of connections whose ends are watched: a stall of the machine is at the end of few of them."""


def side_by_side(tasks: Iterable[Callable[[], T]], apart_s: float = 0.0) -> list[T | ProbeFailure]:
    """Run each task in a greenlet of its own; what they gave, in their order, or what went wrong with one.

    They end with the caller: none goes on where the audit is interrupted.

    apart_s: from the start of one task to that of the next. Times that are measured of tasks which start together are
    not independent: one stall of the machine changes all of them.
    """
    greenlets = [gevent.spawn_later(number * apart_s, _guarded, task) for number, task in enumerate(tasks)]
    try:
        gevent.joinall(greenlets, raise_error=True)
    finally:
        gevent.killall(greenlets)
    return [greenlet.value for greenlet in greenlets]


def some_side_by_side(tasks: Iterable[Callable[[], T]], apart_s: float = 0.0) -> list[T]:
    """What those gave that went well, started as `side_by_side` says. Raises the first failure where none did."""
    results = side_by_side(tasks, apart_s)
    found = [one for one in results if not isinstance(one, ProbeFailure)]
    failures = [one for one in results if isinstance(one, ProbeFailure)]
    if failures and not found:
        raise failures[0]
    return found


def all_side_by_side(tasks: Iterable[Callable[[], T]]) -> list[T]:
    """What all of them gave. Raises the first failure."""
    found: list[T] = []
    for one in side_by_side(tasks):
        if isinstance(one, ProbeFailure):
            raise one
        found.append(one)
    return found


def _guarded(task: Callable[[], T]) -> T | ProbeFailure:
    try:
        return task()
    except ProbeFailure as failure:
        return failure
    except FAILURES as error:
        return ProbeFailure(text_of(error))
