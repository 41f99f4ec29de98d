"""Which of several requests each exchange was, worked out from its row. Reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.row_assignment import Integers
from loadgen.model.block_facts import BlockFacts
from loadgen.model.records import ABSENT
from loadgen.model.request_choice import point, upper_edges


def requests_of(blocks: Sequence[BlockFacts], rows: NDArray[Any], block_of: Integers) -> NDArray[np.int64]:
    """The place in the plan of each row's request; ABSENT where there is one. rows: as their worker numbered them."""
    found = np.full(len(rows), ABSENT, np.int64)
    lists = {tuple(block.get("request_weights", ())) for block in blocks} - {()}
    for weights in lists:
        mine = np.array([tuple(block.get("request_weights", ())) == weights for block in blocks], np.bool_)[block_of]
        points = point(rows["connection"][mine].astype(np.int64), rows["request_index"][mine].astype(np.int64))
        found[mine] = np.searchsorted(np.array(upper_edges(weights)), points, side="right")
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
