"""What the verdict says about the differences between policies."""

from __future__ import annotations

from loadgen.measure.stats.comparison import is_uncertain
from loadgen.measure.summary.verdict_equivalence import equivalence_clause, equivalent_count
from loadgen.measure.summary.verdict_words import (
    NO_INTERVAL,
    PHASE_WORDS,
    estimate_text,
    is_between_targets,
    named,
    ratio_text,
    sides,
)
from loadgen.model.policy import HTTP1, WEBSOCKET
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import ComparisonSummary
from loadgen.model.units import count, format_estimate

# Up to this many differences make a sentence each; of more, only the extremes are named.
_MAX_CLAUSES = 3
_MAX_BETWEEN_TARGETS = 6
_MAX_LISTED = 4
# If a phase has more than this share of a difference, the difference is mostly that phase.
_MOSTLY = 0.5


def difference_clauses(
    comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary], family: int
) -> list[str]:
    """First what differs between several targets, then between policies.

    family: how many comparisons the run has; they are certain together.
    """
    between = [one for one in comparisons if is_between_targets(one, policies)]
    within = [one for one in comparisons if not is_between_targets(one, policies)]
    return [*_between_targets(between, policies, family), *_between_policies(within, policies, family)]


def _between_targets(
    comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary], family: int
) -> list[str]:
    if len(comparisons) <= _MAX_BETWEEN_TARGETS:
        return [_with_equivalence(one, policies, family) for one in comparisons]
    return [*_extremes(comparisons, policies, family), *filter(None, [equivalent_count(comparisons)])]


def _between_policies(
    comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary], family: int
) -> list[str]:
    """HTTP/1.1 against itself first, because that is about reuse alone; then what another protocol changes."""
    plain = [one for one in comparisons if policies[one["candidate"]]["protocol"] == HTTP1]
    others = [one for one in comparisons if policies[one["candidate"]]["protocol"] != HTTP1]
    if len(comparisons) <= _MAX_CLAUSES:
        return [_with_equivalence(one, policies, family) for one in plain + others]
    if len(plain) > _MAX_CLAUSES:
        clauses = _extremes(plain, policies, family)
    else:
        clauses = [difference_sentence(one, policies, family) for one in plain]
    if others:
        clauses.append(_other_protocols(others, policies))
    return list(filter(None, [*clauses, equivalent_count(comparisons)]))


def _extremes(comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary], family: int) -> list[str]:
    ordered = sorted(comparisons, key=lambda one: one["latency_mean_ratio"])
    high, low = (difference_sentence(one, policies, family) for one in (ordered[-1], ordered[0]))
    return [f"the extremes of {len(comparisons)} differences: {high}", low]


def _with_equivalence(comparison: ComparisonSummary, policies: dict[str, PolicySummary], family: int) -> str:
    clause, difference = equivalence_clause(comparison), difference_sentence(comparison, policies, family)
    if not clause:
        return difference
    return f"{difference}; the two are {clause}"


def _other_protocols(comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary]) -> str:
    """Many differences in brief. In a sweep each load has a baseline of its own."""
    ordered = sorted(comparisons, key=lambda one: one["latency_mean_ratio"])
    listed = comparisons if len(comparisons) <= _MAX_LISTED else [ordered[0], ordered[-1]]
    which = "" if listed is comparisons else f" (the extremes of {len(comparisons)})"
    if comparisons[0]["latency_mean_delta_ci95"] is None:
        which += f" {NO_INTERVAL}"
    baselines = {one["baseline"]: f"against {named(one['baseline'], policies)}" for one in comparisons}
    if len(baselines) == 1:
        parts = ", ".join(_brief(one, policies) for one in listed)
        return f"{baselines[listed[0]['baseline']]} on average{which}: {parts}"
    parts = ", ".join(_brief(one, policies, f" {baselines[one['baseline']]}") for one in listed)
    return f"on average{which}: {parts}"


def _brief(comparison: ComparisonSummary, policies: dict[str, PolicySummary], against: str = "") -> str:
    difference = _signed(comparison)
    name = f"{named(comparison['candidate'], policies)}{against}"
    if _is_doubtful(comparison):
        return f"{name} no certain difference ({difference})"
    return f"{name} {difference}{_mostly(comparison)}"


def _mostly(comparison: ComparisonSummary) -> str:
    share = _largest(comparison)
    return f" (mostly {PHASE_WORDS[share[0]]})" if share is not None and share[1] > _MOSTLY else ""


def difference_sentence(comparison: ComparisonSummary, policies: dict[str, PolicySummary], family: int) -> str:
    """One comparison as a sentence. family: as above."""
    both = sides(comparison, policies)
    baseline, candidate = both.baseline, f"{both.lead}{both.candidate}"
    if _is_doubtful(comparison):
        return f"{candidate} and {baseline} show no certain difference on average ({_doubt(comparison, family)})"
    protocol = policies[comparison["candidate"]]["protocol"]
    delta_ns, interval_ns = comparison["latency_mean_delta_ns"], comparison["latency_mean_delta_ci95"]
    amount, bounds = format_estimate(abs(delta_ns), sorted(map(abs, interval_ns or ())))
    what = "message" if protocol == WEBSOCKET else "request"
    ratio = _times(comparison["latency_mean_ratio"])
    if delta_ns < 0:
        # Among HTTP/1.1 policies only a cost is put down to a phase; another protocol may save in any of them.
        share = _share(comparison) if protocol != HTTP1 else ""
        return (
            f"{candidate} saves {amount} per {what} on average {bounds or NO_INTERVAL} compared with {baseline}"
            f"{ratio}{share}"
        )
    return (
        f"{candidate} costs {amount} more per {what} on average {bounds or NO_INTERVAL} than {baseline}"
        f"{ratio}{_share(comparison)}"
    )


def _is_doubtful(comparison: ComparisonSummary) -> bool:
    """There is an interval, and it leaves room for no difference. Without one the sentence says that there is none."""
    return comparison["latency_mean_delta_ci95"] is not None and not comparison["is_certain"]


def _doubt(comparison: ComparisonSummary, family: int) -> str:
    """The difference with its interval; where that leaves out 0, what makes the difference doubtful all the same."""
    ratio, interval = comparison["latency_mean_ratio"], comparison["latency_mean_ratio_ci95"]
    if is_uncertain(comparison["latency_mean_delta_ci95"]):
        return _signed(comparison)
    if interval is not None and interval[0] <= 1 <= interval[1]:
        return ratio_text(ratio, interval)
    return f"{_signed(comparison)}, which may be chance among {count(family, 'comparison')}"


def _signed(comparison: ComparisonSummary) -> str:
    return estimate_text(comparison["latency_mean_delta_ns"], comparison["latency_mean_delta_ci95"], sign=True)


def _times(ratio: float) -> str:
    """The ratio as a clause; empty where it rounds to 1, which says less than the difference does."""
    digits = 3 if 0.9 < ratio < 2 else 2
    text = f"{ratio:,.0f}" if ratio >= 99.5 else f"{ratio:.{digits}g}" if ratio >= 0.01 else "under 0.01"
    return "" if text == "1" else f", {text}×"


def _share(comparison: ComparisonSummary) -> str:
    """The phase that makes up most of the difference, where there is one."""
    share = _largest(comparison)
    if share is None:
        return ""
    return f"; {_part(share[1])} of that is {PHASE_WORDS[share[0]]}"


def _part(share: float) -> str:
    """100% is all of it to the nanosecond."""
    text = f"{share:.0%}"
    if text != "100%" or share == 1:
        return text if share <= 1 else "more than all"
    return "nearly all" if share < 1 else "all"


def _largest(comparison: ComparisonSummary) -> tuple[Phase, float] | None:
    """The phase that makes up most of the difference, and its share: above 1 where other phases became shorter."""
    sign = -1 if comparison["latency_mean_delta_ns"] < 0 else 1
    total = sign * comparison["latency_mean_delta_ns"]
    deltas = {phase: sign * delta for phase, delta in comparison["phase_deltas_mean_ns"].items()}
    largest = max(deltas, key=deltas.__getitem__)
    if not total or deltas[largest] <= 0:
        return None
    return Phase(largest), deltas[largest] / total
