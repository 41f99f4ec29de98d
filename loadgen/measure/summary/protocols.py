"""What changing a connection's protocol costs a policy. Reads block facts and samples; warns of nothing."""

from __future__ import annotations

import numpy as np

from loadgen.measure.stats.policy_samples import PolicySamples, quantile
from loadgen.model.block_facts import BlockFacts
from loadgen.model.policy import HTTP1
from loadgen.model.policy_summary import UpgradeSummary
from loadgen.model.records import Phase

_EXCHANGE = (Phase.SEND, Phase.WAIT, Phase.RECEIVE)


def upgrade_cost(blocks: list[BlockFacts], measured: PolicySamples, protocol: str) -> UpgradeSummary | None:
    """None for HTTP/1.1. Upgrades of the warm-up count: connections that live long have theirs there."""
    if protocol == HTTP1:
        return None
    upgrades = [block["upgrades"] for block in blocks if block.get("upgrades")]
    number = sum(one["count"] for one in upgrades)
    mean_ns = round(sum(one["ns"] for one in upgrades) / number) if number else None
    exchanges, later = measured.valid.sum_ns(*_EXCHANGE), measured.valid.columns["nth_on_connection"] > 0
    exchanges = np.sort(exchanges[later] if later.any() else exchanges)
    p50_ns = quantile(exchanges, 0.5) if len(exchanges) else None
    ratio = mean_ns / p50_ns if mean_ns is not None and p50_ns else None
    return {"mean_ns": mean_ns, "exchange_p50_ns": p50_ns, "exchanges": ratio}
