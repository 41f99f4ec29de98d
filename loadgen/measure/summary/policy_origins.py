"""One policy's results by origin, where a run's requests go to several. Compares nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import present
from loadgen.measure.data.downsampling import add_each
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.measure.summary.policy_requests import named_latency
from loadgen.model.block_facts import BlockFacts, SampleCounts
from loadgen.model.origin_summary import OriginHandshake, OriginSummary
from loadgen.model.origins import places_of
from loadgen.model.plan import Plan
from loadgen.model.records import HANDSHAKE


def origins_summary(
    plan: Plan, blocks: list[BlockFacts], exact: SampleCounts, measured: PolicySamples
) -> list[OriginSummary] | None:
    """In the order of the plan's origins; None where there is one. exact: what the blocks' windows counted."""
    origins = plan.origins
    if len(origins) == 1:
        return None
    places = places_of(plan.target, plan.requests)
    # A sample of an earlier version may have no request.
    origin_of = np.array([*places, -1], np.int64)[measured.valid.columns["request"]]
    carried = add_each(block.get("carried_by_request", {}) for block in blocks)
    opened = add_each(block.get("opened_by_origin", {}) for block in blocks)
    full = add_each(block.get("tls_full_by_origin", {}) for block in blocks)
    resumed = add_each(block.get("tls_resumed_by_origin", {}) for block in blocks)
    found: list[OriginSummary] = []
    for place, origin in enumerate(origins):
        of_requests = [number for number, one in enumerate(places) if one == place]
        requests, key = _sum(exact.get("by_request", {}), of_requests), str(place)
        connections, answered = opened.get(key, 0), _sum(carried, of_requests)
        reused = _sum(exact.get("reused_by_request", {}), of_requests)
        found.append(
            {
                "origin": origin.base_url,
                "requests": requests,
                "failed": _sum(exact.get("failed_by_request", {}), of_requests),
                "answered_with_warmup": answered,
                "connections": {
                    "opened": connections,
                    "tls_full": full.get(key, 0),
                    "tls_resumed": resumed.get(key, 0),
                    "requests_per_connection": answered / connections if connections else 0.0,
                    "reuse_ratio": reused / requests if requests else 0.0,
                },
                "handshake_ns": _handshake(measured, origin_of == place),
                "latency_ns": named_latency(measured, origin_of == place),
            }
        )
    return found


def _sum(counts: Mapping[str, int], places: Iterable[int]) -> int:
    return sum(counts.get(str(place), 0) for place in places)


def _handshake(measured: PolicySamples, mine: NDArray[np.bool_]) -> OriginHandshake:
    """The means of those that had one."""
    columns = measured.valid.columns
    paid = mine & (columns["nth_on_connection"] == 0)
    each = {phase.value: columns[phase.value][paid] for phase in HANDSHAKE}
    means = {name: _mean(values[values >= 0]) for name, values in each.items()}
    total = sum((present(values).astype(np.int64) for values in each.values()), np.zeros(int(paid.sum()), np.int64))
    return cast(OriginHandshake, {"mean": _mean(total), **means})


def _mean(values: NDArray[np.int64]) -> int | None:
    return round(float(values.mean())) if len(values) else None
