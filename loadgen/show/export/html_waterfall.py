"""The small picture of the report's first screen: the phases of a mean request, one bar a policy, on one scale.

Drawn as inline SVG, without a script and without a library. The charts below it: html_charts.py.
"""

from __future__ import annotations

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show.export.page import escape
from loadgen.show.ordering import MAX_SERIES, policies_in_order


def waterfall_html(summary: Summary) -> str:
    """The picture with its legend; empty where no request was answered, or there are too many bars."""
    rows = [(name, one) for name, one in policies_in_order(summary) if one["requests"]]
    longest = max((one["latency_ns"]["mean"] or 0 for _, one in rows), default=0)
    if not longest or len(rows) > MAX_SERIES:
        return ""
    happened = [phase for phase in Phase if any(_mean_ns(one, phase) for _, one in rows)]
    bars = "".join(_bar(name, one, happened, longest) for name, one in rows)
    keys = "".join(
        f"<li><svg aria-hidden=true><rect class={phase.value} width=100% height=100% /></svg>{phase.value}"
        for phase in happened
    )
    return f"<section class=waterfall><h2>A mean request, phase by phase</h2><div>{bars}</div><ul>{keys}</ul></section>"


def _bar(name: str, one: PolicySummary, happened: list[Phase], longest: float) -> str:
    start, rects, said = 0.0, "", []
    for phase in happened:
        mean = _mean_ns(one, phase)
        if mean:
            text = f"{phase.value} {format_duration(mean)}"
            rects += (
                f"<rect class={phase.value} x={100 * start / longest:.3f}% width={100 * mean / longest:.3f}% "
                f"height=100%><title>{text}</title></rect>"
            )
            said.append(text)
            start += mean
    total = format_duration(one["latency_ns"]["mean"] or 0)
    return (
        f"<p><span>{escape(name)}</span><svg role=img aria-label='{escape(', '.join(said))}'>{rects}</svg>"
        f"<span>{total}</span></p>"
    )


def _mean_ns(one: PolicySummary, phase: Phase) -> int:
    """Per request, 0 where it did not happen; a summary of an earlier version lacks phases that it did not know."""
    found = one["phases_ns"].get(phase.value)
    return found["mean_per_request"] if found else 0
