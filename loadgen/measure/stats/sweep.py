"""A sweep's part of `summary.json`: its axes, what each cell is, and how a connection's cost is amortised."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from loadgen.measure.labels import CELL_KEYS
from loadgen.measure.stats.amortisation import Member, amortise
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.model.cell import Cell
from loadgen.model.plan import Plan
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.sweep_summary import AmortisationSummary, SweepAxes, SweepCell, SweepSummary

SHARED = tuple(key for key in CELL_KEYS if key != "recycle")
"""What is the same in cells that differ in their requests per connection alone."""


def sweep(plan: Plan, measured: dict[str, PolicySamples], policies: dict[str, PolicySummary]) -> SweepSummary:
    """Describe each cell of the grid, and fit a curve to each group of cells that differ in K alone."""
    grid = plan.cells
    # The policies are the outermost of the grid's loops.
    each = len(grid) // max(1, len(plan.policies))
    cells = {cell.name: _cell(cell, plan, index // each) for index, cell in enumerate(grid)}
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, cell in cells.items():
        if cell["recycle"] is not None:
            groups.setdefault(tuple(cell.get(key) for key in SHARED), []).append(name)
    found: list[AmortisationSummary] = []
    for shared, names in groups.items():
        members: list[Member] = [
            (measured[name], cells[name]["requests"], policies[name]["connections"]) for name in names
        ]
        curve = amortise(members)
        if curve is not None:
            found.append(cast(AmortisationSummary, {**dict(zip(SHARED, shared, strict=True)), **curve}))
    axes = {name: list(values) for name, values in asdict(plan.axes).items() if values}
    return {"axes": cast(SweepAxes, axes), "cells": cells, "amortisation": found}


def _cell(cell: Cell, plan: Plan, base: int) -> SweepCell:
    return {
        "policy": cell.policy.name,
        "base": plan.policies[base].name if plan.policies else None,
        "users": None if cell.rate_rps and not plan.axes.users else cell.users,
        "rate": cell.rate_rps or None,
        "recycle": cell.recycle,
        "gap": cell.gap,
        "size": cell.size,
        "tls_version": cell.tls_version,
        "groups": cell.groups,
        "requests": cell.policy.requests if cell.policy.limits_requests else None,
        "gap_ns": cell.policy.gap_ns,
    }
