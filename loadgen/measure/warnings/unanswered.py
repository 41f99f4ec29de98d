"""Why a policy, or a whole run, has no complete request. Counts nothing."""

from __future__ import annotations

from collections import Counter

from loadgen.measure.labels import listed
from loadgen.measure.warnings.hints import advice
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import count


def why_unanswered(summary: PolicySummary) -> str:
    """Why a policy has no complete request. Where several reasons are possible, the one that is certain."""
    if summary["errors"]:
        return _all_failed(summary["errors"])
    if summary["window_answered"]:
        return (
            "no request that began in a measured window was answered; "
            f"{count(summary['window_answered'], 'response')} belonged to requests that had waited since before it: "
            "use "
            + ("a lower --rate or more --max-connections" if summary["arrivals"] else "fewer users or a longer --block")
        )
    return "no request that began in a measured window was answered; use a longer --block"


def why_nothing_answered(policies: dict[str, PolicySummary]) -> str:
    """The same of a run in which no policy has one, in one line."""
    errors: Counter[str] = Counter()
    for summary in policies.values():
        errors.update(summary["errors"])
    if errors:
        return f"{_all_failed(errors)}{advice(errors)}"
    waited = next((summary for summary in policies.values() if summary["window_answered"]), None)
    return why_unanswered(waited or next(iter(policies.values())))


def _all_failed(errors: dict[str, int]) -> str:
    return f"every request that ended in a measured window failed: {listed(errors)}"
