"""What became of a policy's requests whose bodies waited for 100 Continue, and how long they waited."""

from __future__ import annotations

from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.stats.policy_samples import quantiles
from loadgen.model.block_facts import BlockFacts
from loadgen.model.policy_summary import ContinuesSummary


def continues(blocks: list[BlockFacts], waits_ns: Integers) -> ContinuesSummary | None:
    """None where no request said `Expect: 100-continue`. waits_ns: a column of samples, absent is -1."""
    found = [facts for block in blocks if (facts := block.get("continues"))]
    if not found:
        return None
    waited = waits_ns[waits_ns >= 0]
    p50, p99 = quantiles(waited, 0.5, 0.99) if len(waited) else (None, None)
    return {
        "asked": sum(one["asked"] for one in found),
        "received": sum(one["received"] for one in found),
        "timed_out": sum(one["timed_out"] for one in found),
        "refused": sum(one["refused"] for one in found),
        "wait_ns": {"mean": round(float(waited.mean())) if len(waited) else None, "p50": p50, "p99": p99},
    }
