"""What the verdict says of policies that reuse connections in name only. Warns of nothing."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.measure.labels import exchange_word
from loadgen.measure.summary.verdict_words import named_or_counted
from loadgen.model.cell import Cell
from loadgen.model.policy_summary import PolicySummary

_MAX_NAMED = 3
_MAX_REUSED = 0.1
# Below this share of connections it may have been the client that ended them: at the end of a block, or after errors.
_MIN_CLOSED_SHARE = 0.5


def reuse_clauses(policies: dict[str, PolicySummary], cells: Mapping[str, Cell]) -> list[str]:
    """At most one: whose connections the other side closed after one request, so that the run shows no reuse."""
    found = [name for name, one in policies.items() if name in cells and _is_in_vain(one, cells[name])]
    if not found:
        return []
    names = named_or_counted(found, policies, _MAX_NAMED)
    words = {exchange_word(cells[name].policy.protocol) for name in found}
    what = words.pop() if len(words) == 1 else "request"
    return [f"with {names} the other side closed connections after one {what}, so these figures show no reuse"]


def _is_in_vain(summary: PolicySummary, cell: Cell) -> bool:
    connections = summary["connections"]
    if not summary["requests"] or not cell.policy.reuses or connections["reuse_ratio"] > _MAX_REUSED:
        return False
    return connections["closed_by"]["server"] > _MIN_CLOSED_SHARE * connections["opened"]
