"""The answer of a run, a clause for each policy, with its doubts."""

from __future__ import annotations

from collections.abc import Container

from loadgen.measure.stats.unserved import unserved_share
from loadgen.measure.summary.verdict_amortisation import amortised_sentence, declined_clause
from loadgen.measure.summary.verdict_differences import difference_clauses
from loadgen.measure.summary.verdict_statuses import unwanted
from loadgen.measure.summary.verdict_words import named, named_or_counted
from loadgen.measure.warnings.unanswered import why_nothing_answered
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import ComparisonSummary
from loadgen.model.sweep_summary import SweepSummary
from loadgen.model.units import count, format_duration, plain_number, share_text
from loadgen.model.warning_codes import WarningCode

_MAX_MISSING = 3


def verdict_clauses(
    policies: dict[str, PolicySummary],
    comparisons: list[ComparisonSummary],
    found: list[RunWarning],
    swept: SweepSummary | None = None,
    by_proxy: Container[str] = (),
    is_tls: bool = False,
) -> list[str]:
    """The answer. found: warnings, some of which qualify it. by_proxy: policies whose requests go to a proxy itself.

    is_tls: the target's URL begins with https.
    """
    answered = {name: one for name, one in policies.items() if one["requests"]}
    if not answered:
        return [why_nothing_answered(policies, found)]
    lead, good = unwanted(answered, by_proxy, is_tls)
    family = len(comparisons)
    if good:  # else all are alike, and compare as such
        comparisons = [one for one in comparisons if one["baseline"] in good and one["candidate"] in good]
    clauses = _failed(policies, answered) + _unserved(policies, answered) + ([lead] if lead else [])
    clauses += _answer(policies, good or answered, comparisons, family, found, swept)
    clauses += _uncounted(policies, answered, bool(comparisons))
    return clauses + [one["message"] for one in found if one["code"] == WarningCode.BLOCKS_WITHOUT_ANSWER]


def _answer(
    policies: dict[str, PolicySummary],
    answered: dict[str, PolicySummary],
    comparisons: list[ComparisonSummary],
    family: int,
    found: list[RunWarning],
    swept: SweepSummary | None,
) -> list[str]:
    if swept is not None and swept["amortisation"]:
        clauses = [amortised_sentence(swept["amortisation"]) + declined_clause(swept["amortisation"], policies)]
    elif comparisons:
        clauses = difference_clauses(comparisons, policies, family)
    elif swept is not None:
        clauses = [_range(answered)]
    else:
        return [_without_comparison(policies, answered)]
    doubt = _doubt(policies, found, swept)
    return [*clauses, doubt] if doubt else clauses


def _doubt(policies: dict[str, PolicySummary], found: list[RunWarning], swept: SweepSummary | None) -> str:
    """What makes the times doubtful; empty where nothing does."""
    if any(one["generator"]["saturated"] for one in policies.values()):
        if len(policies) > 2 or swept is not None:
            return "in part of the run the generator was the bottleneck: see the warnings"
        return "the generator was the bottleneck, so these are its limits, not the target's"
    codes = {warning["code"] for warning in found}
    if codes & {WarningCode.GENERATOR_SATURATED, WarningCode.GENERATOR_LATE}:
        return "the generator lagged, so a large share of these times may be its own"
    if WarningCode.LATE_WAKE_UPS in codes:
        return "the machine wakes the generator late, which may be a large share of these times"
    if WarningCode.STAMP_DELAY in codes:
        return "the generator's stamp delays may be a large share of this: see the warnings"
    return ""


def _without_comparison(policies: dict[str, PolicySummary], answered: dict[str, PolicySummary]) -> str:
    """For policies that do not compare: how much each answered, and why that is all, unless `_uncounted` says it."""
    listed = ", ".join(
        f"{named(name, policies)} answered {count(one['requests'], 'request')}" for name, one in answered.items()
    )
    if len(policies) == 1:
        return f"{listed}; there is nothing to compare it with"
    if len(answered) == 1:
        return listed
    return f"{listed}; no round holds requests of two policies that compare, so nothing can be compared"


def _failed(policies: dict[str, PolicySummary], answered: dict[str, PolicySummary]) -> list[str]:
    """Policies most of whose requests failed: their figures are those of the few that were answered."""
    errors = {name: sum(one["errors"].values()) for name, one in answered.items()}
    found = [name for name, one in answered.items() if errors[name] > one["requests"]]
    shares = {name: f"{errors[name]:,} of {answered[name]['started']:,}" for name in found}
    return _of_the_rest("most requests", "failed", shares, policies)


def _unserved(policies: dict[str, PolicySummary], answered: dict[str, PolicySummary]) -> list[str]:
    """Policies some of whose connections were not served: their figures are those of the others."""
    shares = {name: share_text(share, 0) for name, one in answered.items() if (share := unserved_share(one))}
    return _of_the_rest("connections", "got no response in a whole window", shares, policies)


def _of_the_rest(what: str, happened: str, shares: dict[str, str], policies: dict[str, PolicySummary]) -> list[str]:
    """What happened to a share of the requests or connections, which is known by policy; empty where to none."""
    if not shares:
        return []
    if len(shares) > _MAX_MISSING:
        return [f"{what} of {len(shares)} of {len(policies)} {happened}, so their figures are those of the rest"]
    listed = ", ".join(f"{share} with {named(name, policies)}" for name, share in shares.items())
    return [f"{what} {happened} ({listed}), so the figures are those of the rest"]


def _uncounted(policies: dict[str, PolicySummary], answered: dict[str, PolicySummary], compared: bool) -> list[str]:
    """Policies without a counted request, of which nothing is known. compared: others among them do compare."""
    missing = [name for name in policies if name not in answered]
    if not missing:
        return []
    verb = "has" if len(missing) == 1 else "have"
    alone = not compared and len(answered) == 1
    end = ", so nothing can be compared" if alone else ""
    return [f"{named_or_counted(missing, policies, _MAX_MISSING)} {verb} no counted request{end}"]


def _range(answered: dict[str, PolicySummary]) -> str:
    """For cells that do not compare: the lowest and the highest mean latency, and the highest throughput."""
    means_ns = {name: one["latency_ns"]["mean"] or 0 for name, one in answered.items()}
    by_mean = sorted(answered, key=means_ns.__getitem__)
    low, high = by_mean[0], by_mean[-1]
    fastest = max(answered, key=lambda name: answered[name]["throughput_rps"])
    names = {name: named(name, answered, bracketed=True) for name in (low, high, fastest)}
    mean = {name: f"{format_duration(means_ns[name])} ({names[name]})" for name in (low, high)}
    return (
        f"the mean latency ranges from {mean[low]} to {mean[high]}; "
        f"the highest throughput is {plain_number(answered[fastest]['throughput_rps'], 3)} req/s ({names[fastest]})"
    )
