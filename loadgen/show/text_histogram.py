"""Latencies as a histogram of text: one line a policy, all on one logarithmic scale. Prints nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from loadgen.model.policy_summary import LatencyBin
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show.ordering import policies_in_order

BARS = " ▁▂▃▄▅▆▇█"

_GAP = 2
_MIN_COLUMNS = 20


def histogram_lines(summary: Summary, width: int) -> list[str]:
    """The policies that have a histogram, `width` characters wide; none where there is no room or nothing to show.

    The height of a bar is the share of the policy's requests, on the same scale for all policies.
    """
    found = {name: one["latency_ns"].get("histogram") or [] for name, one in policies_in_order(summary)}
    found = {name: bins for name, bins in found.items() if bins}
    if not found:
        return []
    name_width = max(map(len, found)) + _GAP
    columns = width - name_width
    if columns < _MIN_COLUMNS:
        return []
    edges = _edges(found)
    merged = -(-(len(edges) - 1) // columns)  # bins of a column
    # A few wide columns for few bins: a bar is easier to see than a dot.
    repeat = max(1, min(3, columns // -(-(len(edges) - 1) // merged)))
    shares = {name: _shares(bins, edges, merged) for name, bins in found.items()}
    highest = max(max(values) for values in shares.values())
    lines = [
        f"{name:<{name_width}}{''.join(_bar(share / highest) * repeat for share in values)}".rstrip()
        for name, values in shares.items()
    ]
    drawn = len(next(iter(shares.values()))) * repeat
    return [*lines, " " * name_width + _scale(edges, merged, repeat, drawn)]


def _edges(found: Mapping[str, Sequence[LatencyBin]]) -> list[int]:
    """Where bins begin, over all policies, and the end of the last. All runs have the same bins."""
    begins = {one["low"] for bins in found.values() for one in bins}
    end = max(bins[-1]["high"] for bins in found.values())
    return _without_holes(sorted(begins | {end}))


def _without_holes(edges: list[int]) -> list[int]:
    """Policies may lie apart, with no bin between them: those are put in, at the ratio of the others."""
    ratio = min(following / edge for edge, following in pairwise(edges))
    whole = [edges[0]]
    for edge in edges[1:]:
        while edge / whole[-1] > ratio * 1.5:
            whole.append(round(whole[-1] * ratio))
        whole.append(edge)
    return whole


def _shares(bins: Sequence[LatencyBin], edges: Sequence[int], merged: int) -> list[float]:
    """The share of the requests in each column."""
    counts = {one["low"]: one["count"] for one in bins}
    total = sum(counts.values())
    by_edge = [counts.get(edge, 0) / total for edge in edges[:-1]]
    return [sum(by_edge[start : start + merged]) for start in range(0, len(by_edge), merged)]


def _bar(height: float) -> str:
    """height: 0 to 1. What is there at all can be seen."""
    return BARS[0] if height <= 0 else BARS[max(1, round(height * (len(BARS) - 1)))]


def _scale(edges: Sequence[int], merged: int, repeat: int, drawn: int) -> str:
    """The lowest latency at the left, the highest at the right, and what fits in the middle."""
    low, high = format_duration(edges[0]), format_duration(edges[-1])
    middle_column = drawn // 2
    middle = format_duration(edges[min(middle_column // repeat * merged, len(edges) - 1)])
    line = low.ljust(max(middle_column, len(low) + 1)) + middle
    if len(line) + 1 + len(high) > drawn:
        line = low
    return line.ljust(max(drawn - len(high), len(line) + 1)) + high
