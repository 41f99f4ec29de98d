"""How many file descriptors the processes of a run need. Opens none."""

from __future__ import annotations

OWN = 24
"""What a process has open besides connections: streams, loops, files of rows, the kernel's tables. Measured: 18."""

MAX_PENDING_CLOSES = 512
"""Connections of a worker whose servers were asked to close them, and may still take their time."""

_MIN_PENDING_CLOSES = 16
_PER_WORKER = 4  # of its parent: both pipes, and the two that its start needs for a moment


def needed(peak_connections: int, processes: int, embedded: bool) -> int:
    """What each process of a run must be able to open: its workers, their parent, the embedded target.

    peak_connections: of one worker.
    """
    at_target = peak_connections * processes if embedded else 0
    return OWN + max(_MIN_PENDING_CLOSES + max(peak_connections, at_target), _PER_WORKER * processes)


def wanted(peak_connections: int) -> int:
    """What a worker can make use of."""
    return OWN + MAX_PENDING_CLOSES + peak_connections


def pending_closes(limit: int, peak_connections: int) -> int:
    """How many connections of a worker may wait for their servers' close, where it can have `limit` descriptors."""
    return max(_MIN_PENDING_CLOSES, min(MAX_PENDING_CLOSES, limit - OWN - peak_connections))
