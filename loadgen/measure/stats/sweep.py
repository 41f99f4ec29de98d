"""A sweep's part of `summary.json`: its axes, what each cell is, and how a connection's cost is amortised."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from loadgen.measure.stats.amortisation import amortise
from loadgen.measure.stats.policy_samples import PolicySamples
from loadgen.model.cell import Cell
from loadgen.model.plan import Plan

# What else a cell is, apart from its requests per connection.
_LIKE = ("base", "users", "rate", "gap", "size")


def sweep(plan: Plan, measured: dict[str, PolicySamples], policies: dict[str, Any]) -> dict[str, Any]:
    """axes: the values of each, as given. cells: each one's place on them, by name. See `amortise` for the rest."""
    cells = plan.cells
    # The policies are the outermost of the grid's loops.
    each = len(cells) // max(1, len(plan.policies))
    places = {cell.name: _place(cell, plan, index // each) for index, cell in enumerate(cells)}
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, place in places.items():
        if place["recycle"] is not None:
            groups.setdefault(tuple(place[key] for key in _LIKE), []).append(name)
    found = []
    for key, names in groups.items():
        members = [(measured[name], places[name]["requests"], policies[name]["connections"]) for name in names]
        curve = amortise(members, plan.seed)
        if curve is not None:
            found.append({**dict(zip(_LIKE, key, strict=True)), **curve})
    return {
        "axes": {name: list(values) for name, values in asdict(plan.axes).items() if values},
        "cells": places,
        "amortisation": found,
    }


def _place(cell: Cell, plan: Plan, base: int) -> dict[str, Any]:
    """policy: the whole of it. base: the part that the plan names, None where axes alone make the policy.

    users is None in an open loop; rate in a closed one; requests is None where a connection's number is unlimited.
    """
    return {
        "policy": cell.policy.name,
        "base": plan.policies[base].name if plan.policies else None,
        "users": None if cell.rate_rps and not plan.axes.users else cell.users,
        "rate": cell.rate_rps or None,
        "recycle": cell.recycle,
        "gap": cell.gap,
        "size": cell.size,
        "requests": cell.policy.requests if cell.policy.limits_requests else None,
        "gap_ns": cell.policy.gap_ns,
    }
