"""What the verdict says of `--equivalent`: which mean latencies are shown to be alike."""

from __future__ import annotations

import math

from loadgen.measure.summary.verdict_words import NO_INTERVAL, ratio_text
from loadgen.model.summary import ComparisonSummary, EquivalenceSummary
from loadgen.model.units import count, percent_text

_MIN_DECIMALS = 3


def equivalence_clause(comparison: ComparisonSummary) -> str:
    """The rest of a sentence about two policies, with the ratio of means; empty where the plan names no bound."""
    found = comparison["equivalence"]
    if found is None:
        return ""
    within = f"within {percent_text(found['bound'])}"
    interval = comparison["latency_mean_ratio_ci95"]
    if interval is None:
        return f"not shown to be equivalent {within} {NO_INTERVAL}"
    # As many decimals as tell the bound from 1.
    decimals = max(_MIN_DECIMALS, 1 + math.ceil(-math.log10(found["bound"])))
    ratio = f"({ratio_text(comparison['latency_mean_ratio'], interval, decimals)})"
    if found["shown"]:
        return f"equivalent {within} {ratio}"
    if comparison["is_certain"] and _is_apart(interval, found):
        return f"not equivalent {within} {ratio}"
    return f"not shown to be equivalent {within} {ratio}: more rounds may show it"


def equivalent_count(comparisons: list[ComparisonSummary]) -> str:
    """A clause for comparisons that are too many for one each; empty where the plan names no bound."""
    found = [one["equivalence"] for one in comparisons if one["equivalence"] is not None]
    if not found:
        return ""
    shown = sum(one["shown"] for one in found)
    return f"{shown} of {count(len(found), 'comparison')} are equivalent within {percent_text(found[0]['bound'])}"


def _is_apart(interval: list[float], found: EquivalenceSummary) -> bool:
    """The interval lies outside the bound as a whole, so that more rounds would show nothing else."""
    return interval[0] > 1 + found["bound"] or interval[1] < 1 / (1 + found["bound"])
