"""One policy's connections and requests by address and backend: totals, evenness, and over time. Warns of nothing."""

from __future__ import annotations

import re

from loadgen.measure.stats.fairness import jain_index
from loadgen.model.balance_summary import BalanceInterval, BalanceSummary
from loadgen.model.block_facts import BalanceFacts, BlockFacts


def balance_summary(blocks: list[BlockFacts]) -> BalanceSummary | None:
    """Of a policy's blocks; None where there was one address and one backend, or where they were not counted."""
    found = [(block["round"], one) for block in blocks if (one := block.get("balance"))]
    if not found:
        return None
    addresses = sorted({name for _, one in found for name in one["addresses"]}, key=_natural)
    backends = sorted({name for _, one in found for name in one["backends"]}, key=_natural)
    intervals = [line for number, one in found for line in _intervals(number, one, addresses, backends)]
    connections, requests, failed = (
        [sum(line[key][place] for line in intervals) for place in range(len(addresses))]
        for key in ("connections", "requests", "failed")
    )
    answered = [sum(line["backends"][place] for line in intervals) for place in range(len(backends))]
    return {
        "addresses": [
            {"address": name, "connections": opened, "requests": one, "failed": lost}
            for name, opened, one, lost in zip(addresses, connections, requests, failed, strict=True)
        ],
        "backends": [{"backend": name, "requests": one} for name, one in zip(backends, answered, strict=True)],
        "evenness": {
            "connections": jain_index(connections),
            "requests": jain_index(requests),
            "backends": jain_index(answered),
        },
        "interval_ns": found[0][1]["interval_ns"],
        "intervals": intervals,
    }


def _natural(name: str) -> list[tuple[int, str]]:
    """The same order for each policy, whichever answered first: 9 comes before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _intervals(number: int, facts: BalanceFacts, addresses: list[str], backends: list[str]) -> list[BalanceInterval]:
    known = facts["addresses"]
    length = max((len(counts) for one in known.values() for counts in (one["connections"], one["requests"])), default=0)
    return [
        {
            "round": number,
            "at_ns": place * facts["interval_ns"],
            "connections": [known[name]["connections"][place] if name in known else 0 for name in addresses],
            "requests": [known[name]["requests"][place] if name in known else 0 for name in addresses],
            "failed": [known[name]["failed"][place] if name in known else 0 for name in addresses],
            "backends": [facts["backends"][name][place] if name in facts["backends"] else 0 for name in backends],
        }
        for place in range(length)
    ]
