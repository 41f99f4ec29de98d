"""After how many requests a server ended connections, by the way in which it did. Words nothing and reads no file.

A server with a limit ends all of them after the same number; one that restarts, drains or limits their age does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.row_assignment import RowAssignment
from loadgen.model.block_facts import BlockFacts
from loadgen.model.connections_summary import RequestRange
from loadgen.model.records import ClosedBy, Ending


class RequestsSoFar(NamedTuple):
    """How many requests connections have had answered so far."""

    numbers: NDArray[np.int64]
    """Of the connections, in ascending order."""
    counts: NDArray[np.int64]
    """Of each of them."""

    @classmethod
    def nothing(cls) -> RequestsSoFar:
        """Of no connection."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    def after(self, rows: NDArray[Any], still_open: NDArray[np.int64]) -> RequestsSoFar:
        """Of these connections (in ascending order), once these exchanges have been made too."""
        counts = np.zeros(len(still_open), np.int64)
        _raise(counts, still_open, self.numbers, self.counts)
        answered = rows[rows["outcome"] > 0]
        _raise(counts, still_open, answered["connection"], answered["request_index"] + 1)
        return RequestsSoFar(still_open, counts)


def _raise(counts: NDArray[np.int64], of: NDArray[Any], numbers: NDArray[Any], others: NDArray[Any]) -> None:
    """Raise the counts of these connections to those of others, which are given by their numbers."""
    known = np.isin(numbers, of)
    np.maximum.at(counts, np.searchsorted(of, numbers[known]), others[known])


_BY_SERVER = [ending for ending in Ending if ending.closed_by is ClosedBy.SERVER]
_NONE = np.iinfo(np.int64).max


def count_ended_after(
    blocks: list[BlockFacts],
    rows: NDArray[Any],
    assignment: RowAssignment,
    connections: NDArray[Any],
    earlier: RequestsSoFar,
) -> None:
    """Add to each block the fewest and the most requests that connections had answered which the server ended.

    Connections without an answered request are left out. earlier: of connections that had some before `rows`.
    """
    positions, endings = assignment.connection_positions, connections["ending"]
    chosen = np.isin(endings, _BY_SERVER) & (assignment.opened_in[positions] >= 0)
    answered = rows["outcome"] > 0
    carried = np.zeros(len(assignment.numbers), np.int64)
    np.maximum.at(carried, assignment.exchange_positions[answered], rows["request_index"][answered] + 1)
    _raise(carried, assignment.numbers, *earlier)
    chosen &= carried[positions] > 0
    place = assignment.opened_in[positions[chosen]] * len(Ending) + endings[chosen]
    low, high = (np.full(len(blocks) * len(Ending), first, np.int64) for first in (_NONE, 0))
    np.minimum.at(low, place, carried[positions[chosen]])
    np.maximum.at(high, place, carried[positions[chosen]])
    for index, block in enumerate(blocks):
        found = ((ending, index * len(Ending) + ending) for ending in _BY_SERVER)
        block["ended_after"] = {
            ending.label: {"min": int(low[at]), "max": int(high[at])} for ending, at in found if high[at]
        }


def widest(parts: Iterable[dict[str, RequestRange]]) -> dict[str, RequestRange]:
    """The ranges of several blocks, or parts of one, together."""
    joined: dict[str, RequestRange] = {}
    for part in parts:
        for label, found in part.items():
            known = joined.get(label, found)
            joined[label] = {"min": min(known["min"], found["min"]), "max": max(known["max"], found["max"])}
    return joined
