"""Why a policy, or a whole run, has no complete request. Counts nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from loadgen.measure.labels import listed
from loadgen.measure.warnings.hints import advice
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.run_record import RunWarning
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode

_CUT_SHORT = (WarningCode.INTERRUPTED, WarningCode.DISK_FULL)
_NOTHING = "no request that began in a measured window was answered"


def why_unanswered(summary: PolicySummary, notes: Sequence[RunWarning] = ()) -> str:
    """Why a policy has no complete request. Where several reasons are possible, the one that is certain.

    notes: warnings from running itself, one of which may say that the target failed.
    """
    if summary["errors"]:
        return _all_failed(summary["errors"])
    if summary["window_answered"]:
        return (
            f"{_NOTHING}; {count(summary['window_answered'], 'response')} belonged to requests that had waited since "
            "before it: use "
            + ("a lower --rate or more --max-connections" if summary["arrivals"] else "fewer users or a longer --block")
        )
    if _target_failed(notes):
        return f"{_NOTHING}: the target failed the first request"
    if summary["connections"]["warmup_errors"]:
        return f"{_NOTHING}; {count(summary['connections']['warmup_errors'], 'request')} outside the windows failed"
    if any(one["code"] in _CUT_SHORT for one in notes) and not summary["seconds"]:
        return f"{_NOTHING}: the run ended before this policy was measured"
    if any(one["code"] == WarningCode.USERS_MISSING for one in notes) and not summary["started"]:
        return f"{_NOTHING}: no user made load"
    return f"{_NOTHING}; use a longer --block"


def why_nothing_answered(policies: dict[str, PolicySummary], notes: Sequence[RunWarning] = ()) -> str:
    """The same of a run in which no policy has one, in one line."""
    errors: Counter[str] = Counter()
    for summary in policies.values():
        errors.update(summary["errors"])
    if errors:
        return f"{_all_failed(errors)}{advice(errors)}"
    if failed := _target_failed(notes):
        return failed
    waited = next((summary for summary in policies.values() if summary["window_answered"]), None)
    return why_unanswered(waited or next(iter(policies.values())), notes)


def _target_failed(notes: Sequence[RunWarning]) -> str:
    """How the target failed the first request of the run; empty where it did not."""
    return next((one["message"] for one in notes if one["code"] == WarningCode.TARGET_FAILED), "")


def _all_failed(errors: dict[str, int]) -> str:
    return f"every request that ended in a measured window failed: {listed(errors)}"
