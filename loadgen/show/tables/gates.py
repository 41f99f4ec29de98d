"""The table of a run's gates."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.gate_summary import GateSummary
from loadgen.model.summary import Summary
from loadgen.show.tables.table import Table

_HEADINGS = ("fails if", "gate", "what was found")


def gates(summary: Summary) -> Table:
    """One row a gate; no rows for a run that has none."""
    return gate_table(summary.get("gates", ()))


def gate_table(found: Sequence[GateSummary]) -> Table:
    """The same of gates by themselves."""
    return Table(_HEADINGS, [_row(gate) for gate in found])


def _row(gate: GateSummary) -> tuple[str, ...]:
    return gate["expression"], "passed" if gate["passed"] else "FAILED", gate["message"]


def gates_note(summary: Summary) -> str:
    """How many gates failed; empty for a run that has none."""
    found = summary.get("gates", ())
    if not found:
        return ""
    failed = sum(not gate["passed"] for gate in found)
    return f"{failed} of {len(found)} gates failed" if failed else f"all {len(found)} gates passed"
