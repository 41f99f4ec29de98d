"""Processes that come before all others on a busy machine. How long they wait for a processor is no part of a test."""

from __future__ import annotations

import os
from contextlib import suppress

RELAY, ENDS = 10, 5
"""Priorities: the relay comes before the ends of a connection."""


def hurry(pid: int, priority: int) -> None:
    """Give it a real-time priority, where the machine permits that; what it starts later has that too. 0: this one."""
    with suppress(PermissionError, ProcessLookupError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(priority))
