"""What the generator itself spent on a policy, and how far its stamps can be trusted. Judges nothing."""

from __future__ import annotations

import numpy as np

from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.policy_samples import PolicySamples, quantiles
from loadgen.measure.warnings.generator import SATURATED_CPU_SHARE
from loadgen.model.block_facts import BlockFacts
from loadgen.model.policy_summary import GeneratorSummary, StampDelay
from loadgen.model.records import Phase
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
    own_ns = _known(columns["own"])
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
            "connect": _stamp_delay(_known(columns["connect_delay"])),
            "wait": _stamp_delay(_wait_delays(measured.valid)),
        },
        "stalled_ns": max((block.get("stalled_ns", 0) for block in blocks), default=0) or None,
        "rss_bytes": max((block.get("rss_bytes", 0) for block in blocks), default=0),
    }


def _known(column: Integers) -> Integers:
    """The values that were measured; a run of an earlier version has none of some."""
    found: Integers = column[column >= 0]
    return found


def _wait_delays(samples: Samples) -> Integers:
    """Without stamps from before the request was sent: these are of other bytes, such as a TLS session ticket."""
    delays_ns = samples.columns["wait_delay"]
    return _known(delays_ns[delays_ns <= samples.sum_ns(Phase.SEND, Phase.WAIT)])


def _stamp_delay(delays_ns: Integers) -> StampDelay | None:
    if not len(delays_ns):
        return None
    p50, p99 = quantiles(delays_ns, 0.5, 0.99)
    return {"count": len(delays_ns), "p50": p50, "p99": p99}
