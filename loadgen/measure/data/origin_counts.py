"""What is counted of each of several origins in a block, from the numbers of its connections. Reads no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.row_assignment import Integers
from loadgen.model.block_facts import BlockFacts
from loadgen.model.request_choice import origin_of

ORIGIN_COUNTS = ("opened_by_origin", "tls_full_by_origin", "tls_resumed_by_origin")
"""The keys of a block with such counts; absent where there is one origin."""


def origins_in(block: Mapping[str, Any]) -> int:
    """How many origins a block's requests have; 0 where it does not say."""
    return max(block.get("request_origins", ()), default=-1) + 1


def count_by_origin(
    blocks: Sequence[BlockFacts],
    opened_in: Integers,
    numbers: Integers,
    masks: Mapping[str, NDArray[np.bool_]],
    lost: Integers,
    lost_in: Integers,
) -> None:
    """Add to each block of several origins how many connections to each have each trait.

    opened_in, numbers, masks: of each connection its block, its number, and whether it has a trait. lost, lost_in:
    numbers and blocks of connections that were open when their worker died.
    """
    for index, block in enumerate(blocks):
        origins = origins_in(block)
        if not origins:
            continue
        here = opened_in == index
        for key in ORIGIN_COUNTS:
            found = numbers[here & masks[key.removesuffix("_by_origin")]]
            if key == "opened_by_origin":
                found = np.concatenate([found, lost[lost_in == index]])
            counts = np.bincount(origin_of(found, origins), minlength=origins).tolist()
            block[key] = {str(place): number for place, number in enumerate(counts)}  # type: ignore[literal-required] # all are keys
