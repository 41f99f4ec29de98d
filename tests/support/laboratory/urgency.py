"""Processes that come before all others on a busy machine. How long they wait for a processor is no part of a test."""

from __future__ import annotations

import os
from contextlib import suppress

RELAY, SERVER, CLIENT = 90, 80, 70
"""Priorities: the relay comes before the ends of a connection. A client has CLIENT less its number: one that measures
is not kept waiting by the start of another."""


def hurry(pid: int, priority: int) -> None:
    """Give it a real-time priority, where the machine permits that; what it starts later has that too. 0: this one."""
    with suppress(PermissionError, ProcessLookupError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(priority))
