"""One policy's races to connect (Happy Eyeballs): attempts that were begun and lost, and what waiting for them cost."""

from __future__ import annotations

from collections import Counter

from loadgen.model.block_facts import BlockFacts
from loadgen.model.connections_summary import RacesSummary


def races_summary(blocks: list[BlockFacts]) -> RacesSummary | None:
    """Of a policy's blocks; None where connections tried one address."""
    found = [facts for block in blocks if (facts := block.get("races"))]
    if not found:
        return None
    total: Counter[str] = Counter()
    for facts in found:
        total.update({name: count for name, count in facts.items() if isinstance(count, int)})
    won = total["won_ipv4"] + total["won_ipv6"]
    return {
        "races": total["races"],
        "attempts": total["attempts"],
        "lost": total["attempts"] - won,
        "lost_connected": total["lost_connected"],
        "won_ipv4": total["won_ipv4"],
        "won_ipv6": total["won_ipv6"],
        "delayed": total["delayed"],
        "delay_mean_ns": round(total["delay_ns"] / won) if won else None,
        "connect_mean_ns": round(total["connect_ns"] / won) if won else None,
    }
