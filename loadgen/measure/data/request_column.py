"""Which of several requests each exchange was, worked out from its row. Reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.row_assignment import Integers
from loadgen.model.block_facts import BlockFacts
from loadgen.model.records import ABSENT
from loadgen.model.request_choice import number_at_origin, origin_of, point, upper_edges


def requests_of(blocks: Sequence[BlockFacts], rows: NDArray[Any], block_of: Integers) -> NDArray[np.int64]:
    """The place in the plan of each row's request; ABSENT where there is one. rows: as their worker numbered them."""
    found = np.full(len(rows), ABSENT, np.int64)
    mixes = [(tuple(block.get("request_weights", ())), tuple(block.get("request_origins", ()))) for block in blocks]
    for mix in set(mixes):
        if mix[0]:
            mine = np.array([one == mix for one in mixes], np.bool_)[block_of]
            found[mine] = _chosen(
                rows["connection"][mine].astype(np.int64), rows["request_index"][mine].astype(np.int64), *mix
            )
    return found


def _chosen(
    connections: NDArray[np.int64], request_indices: NDArray[np.int64], weights: Sequence[int], origins: Sequence[int]
) -> NDArray[np.int64]:
    """Which request it was, as `RequestMix.chosen` has chosen it. origins: of the requests; empty for a single one."""
    size = max(origins, default=0) + 1
    places = np.array(origins or [0] * len(weights), np.int64)
    found = np.empty(len(connections), np.int64)
    points = point(number_at_origin(connections, size), request_indices)
    for origin in range(size):
        of_origin = np.flatnonzero(places == origin)
        edges = np.array(upper_edges(np.array(weights, np.int64)[of_origin].tolist()))
        mine = origin_of(connections, size) == origin
        found[mine] = of_origin[np.searchsorted(edges, points[mine], side="right")]
    return found


def count_carried(
    blocks: Sequence[BlockFacts], rows: NDArray[Any], block_of: Integers, requests: NDArray[np.int64]
) -> None:
    """Add to each block of several requests how many of each were answered at least in part, warm-up included."""
    carried = (rows["outcome"] > 0) | (rows["bytes_received"] > 0)
    for index, block in enumerate(blocks):
        if "request_weights" in block:
            counts = np.bincount(requests[carried & (block_of == index)]).tolist()
            block["carried_by_request"] = {str(place): number for place, number in enumerate(counts) if number}
