"""The figures of a run that goes on, merged from the block reports of all its workers. Reads no file."""

from __future__ import annotations

from typing import Any, Literal, cast

from loadgen.measure.data.histogram import Histogram
from loadgen.measure.data.merge_workers import merge_workers
from loadgen.measure.live.block_report import LATENCY, BlockReport
from loadgen.measure.live.round_figures import RoundFigures
from loadgen.measure.live.round_groups import RoundGroups, group_size
from loadgen.measure.stats.comparison import is_uncertain
from loadgen.measure.summary.run import summarise
from loadgen.model.plan_record import PlanRecord
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import HANDSHAKE, Phase
from loadgen.model.run_record import EnvironmentRecord, RunWarning
from loadgen.model.summary import ComparisonSummary, Summary

# Enough for any percentile that is shown while the run goes on; a summary of this many takes a moment only.
_MAX_SAMPLES = 20_000

_SIDES: tuple[Literal["baseline", "candidate"], ...] = ("baseline", "candidate")

Source = tuple[str, str]
"""A worker and one of its user classes."""


class Live:
    """Collects reports. policies: the names of the plan's cells."""

    def __init__(self, policies: tuple[str, ...]) -> None:
        self._policies = policies
        self._groups: dict[Source, RoundGroups] = {}
        self._histograms: dict[Source, dict[str, dict[str, Histogram]]] = {}
        """Latency and phases, by policy."""
        self._figures = RoundFigures()
        self._blocks: set[int] = set()

    def take(self, worker: str, user_class: str, report: BlockReport) -> None:
        """Add a block's report; one of the same block from the same worker and user class counts once."""
        source, block = (worker, user_class), report["block"]
        groups = self._groups.setdefault(source, RoundGroups(self._policies, _MAX_SAMPLES))
        size = group_size(block["round"] + 1)
        if size > self._figures.size:  # for all alike, as a group of rounds is one round of the summary
            self._figures.resize(size)
            for one in self._groups.values():
                one.resize(size)
        groups.resize(self._figures.size)
        if not groups.add(report):
            return
        self._blocks.add(block["index"])
        self._figures.add(report)
        merged = self._histograms.setdefault(source, {}).setdefault(block["policy"], _histograms())
        for key, encoded in report["histograms"].items():
            merged[key].merge(encoded)

    def drop(self, worker: str) -> None:
        """Forget all that this worker reported, but for its part of what is shown over the rounds."""
        for source in [source for source in self._groups if source[0] == worker]:
            del self._groups[source]
            del self._histograms[source]
        self._blocks = {index for groups in self._groups.values() for index in groups.blocks}

    @property
    def blocks(self) -> int:
        """How many blocks at least one worker has finished."""
        return len(self._blocks)

    def summary(
        self, name: str, plan: PlanRecord, environment: EnvironmentRecord, notes: list[RunWarning]
    ) -> Summary | None:
        """What `summary.json` would say now; None before the first block. See `summarise`.

        Counts are exact, and so are means. Percentiles and differences are those of the merged histograms, which hold
        every request. Intervals and curves come from the share of the samples that the reports hold; the intervals of
        differences are moved by as much as the differences are. Of a long run a block of the summary stands for
        several rounds: so it takes the same time, however long the run is.
        """
        if not self._groups:
            return None
        merged = merge_workers((number, groups.samples()) for number, groups in enumerate(self._groups.values()))
        found = summarise(name, merged.thinned(_MAX_SAMPLES, 0), plan, environment, notes, self._refine)
        for block in found["blocks"]:
            self._figures.refine(block)
        return found

    def _refine(self, policies: dict[str, PolicySummary], comparisons: list[ComparisonSummary]) -> None:
        """Replace what the share of the samples says, before warnings and verdict go by it."""
        for policy, summary in policies.items():
            self._refine_policy(summary, policy)
        for comparison in comparisons:
            _refine_comparison(comparison, policies)

    def _refine_policy(self, summary: PolicySummary, policy: str) -> None:
        """Replace percentiles of the share by those of the histograms, which hold every request."""
        merged = _histograms()
        for by_policy in self._histograms.values():
            for key, histogram in by_policy.get(policy, {}).items():
                merged[key].merge(histogram.encode())
        latency = merged[LATENCY]
        if not latency.count:
            return
        figures = summary["latency_ns"]
        figures["p50"], figures["p90"] = latency.quantile_ns(0.5), latency.quantile_ns(0.9)
        figures["p99"], figures["p99_9"] = latency.quantile_ns(0.99), latency.quantile_ns(0.999)
        figures["mean"], figures["max"] = _rounded(latency.mean_ns), latency.max_ns
        for phase in Phase:
            found = merged[phase.value]
            if found.count:
                summary["phases_ns"][phase.value] = {
                    "count": found.count,
                    "mean": _rounded(found.mean_ns),
                    "p50": found.quantile_ns(0.5),
                    "p99": found.quantile_ns(0.99),
                    "mean_per_request": round(found.sum_ns / latency.count),
                }


def _refine_comparison(comparison: ComparisonSummary, policies: dict[str, PolicySummary]) -> None:
    """Compare the figures of all requests, and move the intervals by as much."""
    baseline, candidate = (policies[comparison[side]] for side in _SIDES)
    for name in ("mean", "p50", "p99"):
        _move(
            cast(Any, comparison),
            f"latency_{name}",
            *(cast(Any, one["latency_ns"])[name] for one in (baseline, candidate)),
        )
    deltas = {
        phase: other["mean_per_request"] - baseline["phases_ns"][phase]["mean_per_request"]
        for phase, other in candidate["phases_ns"].items()
    }
    comparison["phase_deltas_mean_ns"] = deltas
    comparison["handshake_mean_ns"] = sum(deltas[phase.value] for phase in HANDSHAKE)
    comparison["residual_mean_ns"] = comparison["latency_mean_delta_ns"] - comparison["handshake_mean_ns"]
    comparison["baseline_mean_ns"] = baseline["latency_ns"]["mean"] or 0
    comparison["candidate_mean_ns"] = candidate["latency_ns"]["mean"] or 0
    if is_uncertain(comparison["latency_mean_delta_ci95"]):
        comparison["is_certain"] = False


def _move(found: dict[str, Any], key: str, baseline_ns: int | None, candidate_ns: int | None) -> None:
    """Replace the difference and the ratio of one statistic, and move their intervals by as much."""
    if not baseline_ns or candidate_ns is None:
        return
    delta_ns, ratio = candidate_ns - baseline_ns, candidate_ns / baseline_ns
    moved_ns, factor = delta_ns - found[f"{key}_delta_ns"], ratio / found[f"{key}_ratio"]
    found[f"{key}_delta_ns"], found[f"{key}_ratio"] = delta_ns, ratio
    delta_ci95, ratio_ci95 = found[f"{key}_delta_ci95"], found[f"{key}_ratio_ci95"]
    found[f"{key}_delta_ci95"] = delta_ci95 and [bound + moved_ns for bound in delta_ci95]
    found[f"{key}_ratio_ci95"] = ratio_ci95 and [bound * factor for bound in ratio_ci95]


def _histograms() -> dict[str, Histogram]:
    return {key: Histogram() for key in (LATENCY, *(phase.value for phase in Phase))}


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)
