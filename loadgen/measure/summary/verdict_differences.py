"""What the verdict says about the differences between policies."""

from __future__ import annotations

from loadgen.measure.stats.comparison import is_uncertain
from loadgen.measure.summary.verdict_words import NO_INTERVAL, PHASE_WORDS, interval_texts, named
from loadgen.model.policy import HTTP1, WEBSOCKET
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import ComparisonSummary

# Up to this many differences make a sentence; of more, only the extremes are named.
_MAX_CLAUSES = 3
_MAX_LISTED = 4
# If a phase has more than this share of a difference, the difference is mostly that phase.
_MOSTLY = 0.5


def differences_sentence(comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary]) -> str:
    """HTTP/1.1 against itself first, because that is about reuse alone; then what another protocol changes."""
    plain = [one for one in comparisons if policies[one["candidate"]]["protocol"] == HTTP1]
    others = [one for one in comparisons if policies[one["candidate"]]["protocol"] != HTTP1]
    if len(comparisons) <= _MAX_CLAUSES:
        return "; ".join(_difference(one, policies) for one in plain + others)
    clauses = []
    if len(plain) > _MAX_CLAUSES:
        ordered = sorted(plain, key=lambda one: one["latency_p50_ratio"])
        ends = "; ".join(_difference(one, policies) for one in (ordered[-1], ordered[0]))
        clauses.append(f"the extremes of {len(plain)} differences: {ends}")
    else:
        clauses += [_difference(one, policies) for one in plain]
    if others:
        clauses.append(_other_protocols(others, policies))
    return "; ".join(clauses)


def _other_protocols(comparisons: list[ComparisonSummary], policies: dict[str, PolicySummary]) -> str:
    """Many differences in brief. In a sweep each load has a baseline of its own."""
    ordered = sorted(comparisons, key=lambda one: one["latency_p50_ratio"])
    listed = comparisons if len(comparisons) <= _MAX_LISTED else [ordered[0], ordered[-1]]
    which = "" if listed is comparisons else f" (the extremes of {len(comparisons)})"
    baselines = {one["baseline"]: f"against {named(one['baseline'], policies)}" for one in comparisons}
    if len(baselines) == 1:
        parts = ", ".join(_brief(one, policies) for one in listed)
        return f"{baselines[listed[0]['baseline']]} at p50{which}: {parts}"
    parts = ", ".join(_brief(one, policies, f" {baselines[one['baseline']]}") for one in listed)
    return f"at p50{which}: {parts}"


def _brief(comparison: ComparisonSummary, policies: dict[str, PolicySummary], against: str = "") -> str:
    interval = comparison["latency_p50_delta_ci95"]
    difference = " ".join(filter(None, interval_texts(comparison["latency_p50_delta_ns"], interval, sign=True)))
    name = f"{named(comparison['candidate'], policies)}{against}"
    if is_uncertain(interval):
        return f"{name} no certain difference ({difference})"
    return f"{name} {difference}{_mostly(comparison)}"


def _mostly(comparison: ComparisonSummary) -> str:
    share = _largest(comparison)
    return f" (mostly {PHASE_WORDS[share[0]]})" if share is not None and share[1] > _MOSTLY else ""


def _difference(comparison: ComparisonSummary, policies: dict[str, PolicySummary]) -> str:
    baseline, candidate = (named(comparison[side], policies) for side in ("baseline", "candidate"))
    protocol = policies[comparison["candidate"]]["protocol"]
    delta, interval = comparison["latency_p50_delta_ns"], comparison["latency_p50_delta_ci95"]
    if is_uncertain(interval):
        difference = " ".join(interval_texts(delta, interval, sign=True))
        return f"{candidate} and {baseline} show no certain difference at p50 ({difference})"
    amount, bounds = interval_texts(abs(delta), sorted(map(abs, interval or ())))
    what = "message" if protocol == WEBSOCKET else "request"
    ratio = _times(comparison["latency_p50_ratio"])
    if delta < 0:
        # Among HTTP/1.1 policies only a cost is put down to a phase; another protocol may save in any of them.
        share = _share(comparison) if protocol != HTTP1 else ""
        return (
            f"{candidate} saves {amount} per {what} at p50 {bounds or NO_INTERVAL} compared with {baseline}"
            f"{ratio}{share}"
        )
    return (
        f"{candidate} costs {amount} more per {what} at p50 {bounds or NO_INTERVAL} than {baseline}"
        f"{ratio}{_share(comparison)}"
    )


def _times(ratio: float) -> str:
    """The ratio as a clause; empty where it rounds to 1, which says less than the difference does."""
    text = f"{ratio:,.0f}" if ratio >= 99.5 else f"{ratio:.2g}" if ratio >= 0.01 else "under 0.01"
    return "" if text == "1" else f", {text}×"


def _share(comparison: ComparisonSummary) -> str:
    """The phase that makes up most of the mean difference, where there is one."""
    share = _largest(comparison)
    return "" if share is None else f"; {share[1]:.0%} of the mean difference is {PHASE_WORDS[share[0]]}"


def _largest(comparison: ComparisonSummary) -> tuple[Phase, float] | None:
    """The phase that makes up most of the mean difference, and its share; None where median and mean disagree."""
    sign = -1 if comparison["latency_p50_delta_ns"] < 0 else 1
    total = sign * comparison["latency_mean_delta_ns"]
    deltas = {phase: sign * delta for phase, delta in comparison["phase_deltas_mean_ns"].items()}
    largest = max(deltas, key=deltas.__getitem__)
    if total <= 0 or deltas[largest] <= 0:
        return None
    return Phase(largest), min(deltas[largest] / total, 1)
