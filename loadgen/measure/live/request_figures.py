"""A block's requests as Locust's statistics count them, for a merge in bulk. Knows no Locust.

Unlike a block report they hold the warm-up too: Locust counts every request.
"""

from __future__ import annotations

from typing import Any, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import present, request_ends
from loadgen.measure.data.request_column import requests_of
from loadgen.measure.data.row_assignment import assign_rows
from loadgen.measure.live.rounding import all_three_digits
from loadgen.model.block_facts import BlockFacts, BlockRecord
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from loadgen.model.units import NS_PER_MS, NS_PER_S

_LOWEST_FAILURE = 400  # Locust's own clients count such a response as a failure too


class RequestFigures(TypedDict):
    """Finished requests of a block."""

    count: int
    """How many."""
    total_ms: float
    """Sum of their times (ms)."""
    min_ms: float
    """Shortest (ms)."""
    max_ms: float
    """Longest (ms)."""
    times_ms: dict[float, int]
    """How many took how long (ms, three digits)."""
    bytes: int
    """Bytes received."""
    failures: dict[str, int]
    """How many failed, by error kind or status."""
    last_s: float
    """When the last one ended (seconds since the epoch)."""
    per_second: dict[int, int]
    """How many ended in each second since the epoch."""
    failures_per_second: dict[int, int]
    """How many failed in each second."""


def request_figures(
    facts: BlockRecord, rows: NDArray[Any], connections: NDArray[Any], wall_s: float
) -> dict[int, RequestFigures]:
    """The block's figures by the request's place in the plan, which is ABSENT where a run sends one request.

    Requests of which none finished are left out. wall_s: what to add to the monotonic clock (s) to have seconds since
    the epoch.
    """
    assignment = assign_rows([facts], rows, connections)
    end = request_ends(rows, assignment, connections)
    done = rows["outcome"] != -ErrorKind.UNFINISHED
    if "request_weights" not in facts:
        return {ABSENT: _figures(rows[done], end[done], wall_s)} if done.any() else {}
    places = requests_of(cast("list[BlockFacts]", [facts]), rows, assignment.block_of)[done]
    rows, end = rows[done], end[done]
    return {int(place): _figures(rows[places == place], end[places == place], wall_s) for place in np.unique(places)}


def _figures(rows: NDArray[Any], end: NDArray[np.int64], wall_s: float) -> RequestFigures:
    """end: when each request ended (ns)."""
    # The generator's own work is no part of a response time.
    times_ms = (end - rows["scheduled"] - present(rows["own"])) / NS_PER_MS
    seconds = np.floor(end / NS_PER_S + wall_s).astype(np.int64)
    failed = (rows["outcome"] < 0) | (rows["outcome"] >= _LOWEST_FAILURE)
    return {
        "count": len(rows),
        "total_ms": float(times_ms.sum()),
        "min_ms": float(times_ms.min()),
        "max_ms": float(times_ms.max()),
        "times_ms": _counted(all_three_digits(times_ms)),
        "bytes": int(rows["bytes_received"].sum()),
        "failures": {_why(outcome): count for outcome, count in _counted(rows["outcome"][failed]).items()},
        "last_s": int(np.max(end)) / NS_PER_S + wall_s,
        "per_second": _counted(seconds),
        "failures_per_second": _counted(seconds[failed]),
    }


def _why(outcome: int) -> str:
    return ErrorKind(-outcome).label if outcome < 0 else str(outcome)


def _counted(values: NDArray[Any]) -> dict[Any, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
