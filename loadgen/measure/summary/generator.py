"""What the generator itself spent on a policy, and how far its stamps can be trusted. Judges nothing."""

from __future__ import annotations

import numpy as np

from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.stats.policy_samples import PolicySamples, quantiles
from loadgen.measure.stats.stamp_delays import connect_delays, known, wait_delays
from loadgen.model.block_facts import BlockFacts
from loadgen.model.generator_limits import SATURATED_CPU_SHARE
from loadgen.model.policy_summary import GeneratorSummary, StampDelay
from loadgen.model.units import NS_PER_S


def generator(blocks: list[BlockFacts], measured: PolicySamples, seconds: float) -> GeneratorSummary:
    """The generator's part. blocks: those of the policy. seconds: length of their windows."""
    columns = measured.valid.columns
    cpu_ns = sum(block.get("cpu_ns", 0) for block in blocks)
    busiest_ns = sum(block.get("busiest_cpu_ns", block.get("cpu_ns", 0)) for block in blocks)
    # If the rate is too high, a window sends, and pays for, more than what was due in it.
    started = max(sum(block["started"] for block in blocks), int(measured.answered.sum()))
    # The lag is an upper bound and may include time before the request began, so it is capped at the request's time.
    lag_ns = np.minimum(columns["lag"], measured.latency_ns)
    lag_p50, lag_p99 = quantiles(lag_ns, 0.5, 0.99) if len(lag_ns) else (None, None)
    own_ns = known(columns["own"])
    own_p50, own_p99 = quantiles(own_ns, 0.5, 0.99) if len(own_ns) else (None, None)
    cpu_share = busiest_ns / NS_PER_S / seconds if seconds else 0.0
    return {
        "cpu_ns_per_request": round(cpu_ns / started) if started else None,
        "cpu_share": cpu_share,
        "saturated": cpu_share > SATURATED_CPU_SHARE,
        "lag_p50_ns": lag_p50,
        "lag_p99_ns": lag_p99,
        "own_mean_ns": round(float(own_ns.mean())) if len(own_ns) else None,
        "own_p50_ns": own_p50,
        "own_p99_ns": own_p99,
        "stamp_delay_ns": {
            "connect": _stamp_delay(connect_delays(measured.valid)),
            "wait": _stamp_delay(wait_delays(measured.valid)),
        },
        "stalled_ns": max((block.get("stalled_ns", 0) for block in blocks), default=0) or None,
        "rss_bytes": max((block["rss_bytes"] for block in blocks if block.get("rss_bytes") is not None), default=None),
    }


def _stamp_delay(delays_ns: Integers) -> StampDelay | None:
    if not len(delays_ns):
        return None
    p50, p99 = quantiles(delays_ns, 0.5, 0.99)
    return {"count": len(delays_ns), "p50": p50, "p99": p99}
