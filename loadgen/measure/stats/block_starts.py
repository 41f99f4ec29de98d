"""How close together several workers began each block. Orders no block, and knows no message."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low

from loadgen.model.block_facts import BlockFacts
from loadgen.model.summary import BlockStartsSummary

EVEN_NS = 50_000_000
"""Up to this far apart workers load the target together."""


def block_starts(blocks: Sequence[BlockFacts]) -> BlockStartsSummary | None:
    """None where no block had several workers, or their times are not known."""
    several = [block for block in blocks if "load_spread_ns" in block]
    if not several:
        return None
    spreads = [block["load_spread_ns"] for block in several]
    errors = [block.get("clock_error_ns") for block in several]
    return {
        "workers": max(block.get("workers", 1) for block in several),
        "blocks": len(several),
        "spread_p50_ns": median_low(spreads),
        "spread_max_ns": max(spreads),
        "uneven_blocks": sum(spread > EVEN_NS for spread in spreads),
        "clock_error_ns": None if None in errors else max(error for error in errors if error is not None),
    }
