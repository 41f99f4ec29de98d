"""The order in which policies stand in tables and charts. Knows no format."""

from __future__ import annotations

from typing import TypeVar

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import Summary

MAX_SERIES = 7
"""The lines that can be told apart in one chart."""
MAX_BARS = 24
"""The bars, one a policy, that fit on one page."""

T = TypeVar("T")


def spread(items: list[T], max_items: int = MAX_SERIES) -> list[T]:
    """The items, or `max_items` of them that are spread evenly from the first to the last."""
    if len(items) <= max_items:
        return items
    return [items[round(number * (len(items) - 1) / (max_items - 1))] for number in range(max_items)]


def in_order(summary: Summary) -> list[str]:
    """The names of the policies; a sweep's cells sorted by their axes."""
    names = list(summary["policies"])
    if not summary["sweep"]:
        return names
    cells = summary["sweep"]["cells"]
    bases = list(dict.fromkeys(cell["base"] for cell in cells.values()))

    def key(name: str) -> tuple[float, ...]:
        cell = cells[name]
        return (
            bases.index(cell["base"]),
            cell["users"] or 0,
            cell["rate"] or 0,
            cell["requests"] or float("inf"),
            cell["gap_ns"],
            cell["size"] or 0,
        )

    return sorted(names, key=key)


def policies_in_order(summary: Summary) -> list[tuple[str, PolicySummary]]:
    """Name and figures of each policy, in order."""
    return [(name, summary["policies"][name]) for name in in_order(summary)]
