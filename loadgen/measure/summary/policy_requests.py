"""One policy's results by name, where a run sends several requests. Compares nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.downsampling import add_each
from loadgen.measure.stats.policy_samples import PolicySamples, quantile
from loadgen.model.block_facts import BlockFacts, SampleCounts
from loadgen.model.named_request_summary import NamedLatency, NamedRequestSummary
from loadgen.model.planned_request import PlannedRequest


def requests_summary(
    requests: tuple[PlannedRequest, ...], blocks: list[BlockFacts], exact: SampleCounts, measured: PolicySamples
) -> list[NamedRequestSummary] | None:
    """In the plan's order; None where there is one request. exact: what the blocks' windows counted."""
    if not requests:
        return None
    complete, failed = exact.get("by_request", {}), exact.get("failed_by_request", {})
    carried = add_each(block.get("carried_by_request", {}) for block in blocks)
    column = measured.valid.columns["request"]
    return [
        {
            "name": request.name,
            "requests": complete.get(str(place), 0),
            "failed": failed.get(str(place), 0),
            "answered_with_warmup": carried.get(str(place), 0),
            "latency_ns": named_latency(measured, column == place),
        }
        for place, request in enumerate(requests)
    ]


def named_latency(measured: PolicySamples, mine: NDArray[np.bool_]) -> NamedLatency:
    """Of the samples that are chosen."""
    ordered = np.sort(measured.latency_ns[mine])
    if not len(ordered):
        return {"mean": None, "p50": None, "p90": None, "p99": None, "max": None}
    return {
        "mean": round(float(ordered.mean())),
        "p50": quantile(ordered, 0.5),
        "p90": quantile(ordered, 0.9),
        "p99": quantile(ordered, 0.99),
        "max": int(ordered[-1]),
    }
