"""When requests began, from samples: arrivals of an open loop, and pauses of a closed one. Judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.data.rows import Samples
from loadgen.model.records import ABSENT

Times = NDArray[np.int64]
_ENOUGH = 300_000
"""Requests of a policy that are enough; of more, only some users or some rounds are looked at."""


def step_over(size: int) -> int:
    """Each how many-th user or round is enough, where there are `size` requests."""
    return max(1, -(-size // _ENOUGH))


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Arrivals of one policy, by round, worker and time."""

    late_ns: Times
    """How late the generator began each."""
    begun_ns: Times
    """When it began each (monotonic)."""
    round: Times
    """The round of each."""
    follows: NDArray[np.bool_]
    """Of each but the first: the one before is of the same round and worker."""


def beginnings(samples: Samples, chosen: NDArray[np.int64]) -> Beginnings:
    """Those of the samples that `chosen` has the indices of, failed or not; one that was sent once more counts once.

    Arrivals whose lateness is not known, in runs of earlier versions, are left out.
    """
    columns = {name: samples.columns[name][chosen] for name in ("round", "worker", "scheduled", "late")}
    known = np.flatnonzero(columns["late"] >= 0)
    group, due = _group(columns, ("round", "worker"))[known], columns["scheduled"][known].astype(np.int64)
    order = _sorted(group, due)
    known, group, due = known[order], group[order], due[order]
    first = np.append(True, (np.diff(due) != 0) | (np.diff(group) != 0)) if len(known) else np.empty(0, np.bool_)
    known, group, due = known[first], group[first], due[first]
    late = columns["late"][known].astype(np.int64)
    return Beginnings(late, due + late, columns["round"][known].astype(np.int64), np.diff(group) == 0)


def pauses_off_ns(samples: Samples, think_ns: int, gap_ns: int) -> Times:
    """By how much each user's pause after a response differs from what was asked for: think time, or a longer gap.

    samples: all those of one policy. The gap holds for a connection that goes on.
    """
    columns = samples.columns
    group, begun = _group(columns, ("round", "worker", "user")), columns["scheduled"].astype(np.int64)
    order = _sorted(group, begun)
    group, begun = group[order], begun[order]
    ended = begun + (samples.latency_ns() + np.maximum(columns["own"], 0))[order]
    complete = (columns["error"] == ABSENT)[order]
    asked = np.where(columns["nth_on_connection"][order][1:] > 0, max(think_ns, gap_ns), think_ns)
    pauses = begun[1:] - ended[:-1]
    chosen = (np.diff(group) == 0) & complete[:-1] & (np.diff(begun) > 0)
    found: Times = np.abs(pauses - asked)[chosen]
    return found


def _group(columns: dict[str, Integers], names: tuple[str, ...]) -> Times:
    """One number for each combination of these columns."""
    found = np.zeros(len(columns["scheduled"]), np.int64)
    for name in names:
        column = columns[name].astype(np.int64)
        low = int(np.min(column, initial=0))
        found = found * (int(np.max(column, initial=0)) - low + 1) + column - low
    return found


def _sorted(group: Times, times: Times) -> NDArray[np.intp]:
    """The order by group, then by time."""
    return np.lexsort((times, group))
