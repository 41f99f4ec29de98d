"""Many runs to a history: the headline of each, in groups of like plans. Reads no file, draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from loadgen.measure.diff.likeness import plan_facts, unlike
from loadgen.model.exceptions import PlanError
from loadgen.model.history_record import (
    HISTORY_SCHEMA,
    HistoryComparison,
    HistoryGroup,
    HistoryPolicy,
    HistoryRecord,
    HistoryRun,
    LeftOutRun,
)
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.run_record import RunRecord
from loadgen.model.summary import Summary
from loadgen.model.typed_json import misfit

_NO_CHANGE = ("target", "rounds")
"""What may well differ between runs of one group, and is no change of the environment."""
_MAX_SHOWN = 60
_PlanFacts = tuple[str, ...]


class SummarisedRun(NamedTuple):
    """A run as a history reads it."""

    path: str
    record: RunRecord
    summary: Summary
    title: str
    """The request and the load, in words."""


def run_history(runs: Iterable[SummarisedRun], left_out: Iterable[LeftOutRun]) -> HistoryRecord:
    """Group the runs by their plans, and order them by time. A summary that makes no sense is left out too."""
    missing = list(left_out)
    groups: dict[_PlanFacts, HistoryGroup] = {}
    facts: dict[_PlanFacts, Mapping[str, str]] = {}
    last: dict[_PlanFacts, RunRecord] = {}
    for one in sorted(runs, key=lambda run: str(run.record["environment"].get("started", ""))):
        common = plan_facts(one.record)
        key = tuple(common.values())
        try:
            found = _history_run(one, last.get(key))
        except PlanError as error:
            missing.append({"path": one.path, "reason": str(error)})
            continue
        groups.setdefault(key, {"title": one.title, "runs": []})["runs"].append(found)
        last[key], facts[key] = one.record, common
    _tell_apart([(group, facts[key]) for key, group in groups.items()])
    return {"schema": HISTORY_SCHEMA, "groups": list(groups.values()), "left_out": missing}


def _tell_apart(groups: list[tuple[HistoryGroup, Mapping[str, str]]]) -> None:
    """Give groups of the same title, each with its facts, what differs between them as well."""
    for title, times in Counter(group["title"] for group, _ in groups).items():
        if times > 1:
            alike = [(group, facts) for group, facts in groups if group["title"] == title]
            apart = [what for what in alike[0][1] if len({facts[what] for _, facts in alike}) > 1]
            for group, facts in alike:
                group["title"] = "; ".join((title, *(f"{what} {_shortened(facts[what])}" for what in apart)))


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _history_run(one: SummarisedRun, before: RunRecord | None) -> HistoryRun:
    """Raises PlanError where the summary has another form; it may be an old one, or edited by hand."""
    changed = [] if before is None else unlike(before, one.record)
    try:
        found: HistoryRun = {
            "run": one.record["name"],
            "path": one.path,
            "started": str(one.record["environment"].get("started", "")),
            "changed": [fact for fact in changed if fact["what"] not in _NO_CHANGE],
            "policies": {name: _policy(policy) for name, policy in one.summary["policies"].items()},
            "comparisons": _comparisons(one.summary),
        }
        complaint = misfit(found, HistoryRun)
    except (KeyError, TypeError, AttributeError) as error:
        complaint = f"{type(error).__name__} {error}"
    if complaint:
        raise PlanError(f"its summary.json has another form ({complaint}); `loadgen report` makes it anew")
    return found


def _policy(policy: PolicySummary) -> HistoryPolicy:
    latency = policy["latency_ns"]
    return {
        "latency_mean_ns": latency["mean"],
        "latency_mean_ci95": latency.get("mean_ci95"),  # a summary of an earlier version lacks it
        "throughput_rps": policy["throughput_rps"],
    }


def _comparisons(summary: Summary) -> list[HistoryComparison]:
    return [
        {
            "baseline": one["baseline"],
            "candidate": one["candidate"],
            "latency_mean_ratio": one["latency_mean_ratio"],
            "latency_mean_ratio_ci95": one["latency_mean_ratio_ci95"],
        }
        for one in summary["comparisons"]
    ]
