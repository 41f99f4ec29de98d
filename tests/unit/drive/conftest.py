"""Fixtures of tests with an engine over a network without a kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest


@pytest.fixture
def until_the_end() -> Iterator[Callable[[Any], Any]]:
    """Gives back the rig that it is called with, whose engine is closed when the test ends."""
    rigs: list[Any] = []

    def keep(rig: Any) -> Any:
        rigs.append(rig)
        return rig

    # A connection without a kernel does not keep the loop alive, as a socket does.
    alive = gevent.get_hub().loop.timer(60)
    alive.start(lambda: None)
    yield keep
    alive.close()
    for one in rigs:
        one.engine.close()
