"""Which policies have a line in a chart by position, and which of a sweep's many cells. Draws nothing."""

from __future__ import annotations

from loadgen.measure.stats.sweep import SHARED
from loadgen.model.policy_summary import PositionGroup
from loadgen.model.summary import Summary
from loadgen.show.ordering import MAX_SERIES, in_order, spread

Lines = dict[str, list[PositionGroup]]
"""The groups of positions of each policy."""


def reusing_policies(summary: Summary) -> Lines:
    """Those whose requests were counted by position."""
    return {name: groups for name in in_order(summary) if (groups := summary["policies"][name]["by_position"])}


def shown_lines(summary: Summary) -> Lines:
    """As many of them as can be told apart."""
    reusing = reusing_policies(summary)
    names = spread(_longest(summary, reusing) if len(reusing) > MAX_SERIES else list(reusing))
    return {name: reusing[name] for name in names}


def _longest(summary: Summary, reusing: Lines) -> list[str]:
    """Of each set of a sweep's cells that differ in K alone, the one with most positions; of several the largest K.

    Where connections are never replaced, their first positions are over before the measured window begins.
    """
    if summary["sweep"] is None:
        return list(reusing)
    cells = summary["sweep"]["cells"]
    longest: dict[tuple[object, ...], str] = {}
    for name in reusing:  # K rises within each set
        key = tuple(cells[name].get(shared) for shared in SHARED)  # earlier runs lack some
        longest[key] = max(longest.get(key, name), name, key=lambda one: len(reusing[one]))
    return list(longest.values())
