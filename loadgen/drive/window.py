"""The counted part of a block, and the moments at which it begins and ends. Runs nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

Mark = tuple[int, int]
"""A moment: the time (ns, monotonic), and the CPU time (ns) of this process by then."""


def mark() -> Mark:
    """This moment."""
    return time.monotonic_ns(), time.process_time_ns()


@dataclass(frozen=True, slots=True)
class Window:
    """When it began and ended (ns), and the CPU time (ns) this process spent in it."""

    begun_ns: int
    ended_ns: int
    cpu_ns: int
