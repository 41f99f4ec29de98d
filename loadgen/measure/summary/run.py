"""Samples to `summary.json`: what happened under each policy, and how they compare. Draws and prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loadgen.measure.checks import checked
from loadgen.measure.checks.check import CheckedRun
from loadgen.measure.data.block_histograms import ERROR, LATENCY
from loadgen.measure.data.downsampling import add_up
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.block_starts import block_starts
from loadgen.measure.stats.comparison import compare_all
from loadgen.measure.stats.equivalence import equivalence
from loadgen.measure.stats.floor import within_floor
from loadgen.measure.stats.latency_slices import latency_slices
from loadgen.measure.stats.policy_samples import PolicySamples, policy_samples, quantile
from loadgen.measure.stats.precision import is_without_answer, precision_summary
from loadgen.measure.stats.sweep import sweep
from loadgen.measure.summary.incomplete_rounds import incomplete_rounds, incomplete_warnings
from loadgen.measure.summary.policy import summarise_policy
from loadgen.measure.summary.verdict import verdict_clauses
from loadgen.measure.summary.verdict_checks import check_clauses
from loadgen.measure.summary.verdict_floor import floor_clauses
from loadgen.measure.summary.verdict_precision import precision_clauses
from loadgen.measure.summary.verdict_reuse import reuse_clauses
from loadgen.measure.warnings.balance import address_warnings
from loadgen.measure.warnings.imprecision import precision_warnings
from loadgen.measure.warnings.missing_requests import missing_requests
from loadgen.measure.warnings.outages import outages
from loadgen.measure.warnings.run import warnings
from loadgen.measure.warnings.uneven_starts import start_warnings
from loadgen.model.block_facts import BlockFacts
from loadgen.model.origin_plans import peers_of
from loadgen.model.plan import Plan
from loadgen.model.plan_record import PlanRecord
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.run_record import EnvironmentRecord, RunWarning
from loadgen.model.summary import SCHEMA, BlockSummary, ComparisonSummary, Summary
from loadgen.model.units import NS_PER_S, share_text
from loadgen.model.warning_codes import WarningCode

MAX_CURVES = 7
"""Policies up to which each is drawn as a line of its own, and has a percentile curve for that."""

Refine = Callable[[dict[str, PolicySummary], list[ComparisonSummary]], None]

_P50_P99 = (0.5, 0.99)


def summarise(
    name: str,
    samples: Samples,
    plan: PlanRecord,
    environment: EnvironmentRecord,
    notes: list[RunWarning],
    refine: Refine | None = None,
) -> Summary:
    """The whole of `summary.json`. notes: warnings from running itself.

    refine: corrects figures, where more is known than the samples say, before warnings and verdict go by them.
    """
    planned = Plan.from_json(plan)
    plan = planned.to_json(secrets=False)  # a plan that an earlier version recorded may lack keys
    samples = samples.with_counts()
    cells = {cell.name: cell for cell in planned.cells}
    rounds = 1 + max((block["round"] for block in samples.blocks), default=0)
    with_curve = len(cells) <= MAX_CURVES
    indices_of = dict(zip(samples.policies, samples.by_policy(), strict=True))
    measured = {
        cell_name: policy_samples(samples, number, indices, rounds)
        for number, (cell_name, indices) in enumerate(indices_of.items())
    }
    policies = {
        cell_name: summarise_policy(samples, indices_of[cell_name], one, cells[cell_name], planned, with_curve)
        for cell_name, one in measured.items()
    }
    comparisons = compare_all(measured, planned.cells, bool(planned.axes), planned.until_precision is not None)
    if refine is not None:
        refine(policies, comparisons)
    for comparison in comparisons:
        comparison["equivalence"] = equivalence(comparison["latency_mean_ratio_ci95"], planned.equivalent)
    swept = sweep(planned, measured, policies) if planned.axes else None
    answered = [cell_name for cell_name, summary in policies.items() if summary["requests"]]
    precision = precision_summary(planned, comparisons, answered, rounds)
    without_answer = [cell_name for cell_name, one in measured.items() if is_without_answer(one.requests)]
    starts = block_starts(samples.blocks)
    found = (
        notes
        + incomplete_warnings(samples)
        + start_warnings(starts)
        + thinned(samples)
        + outages(samples)
        + missing_requests(samples, planned.load)
    )
    found += precision_warnings(precision, policies, without_answer)
    below = within_floor(environment.get("calibration"), comparisons, policies)
    found += warnings(policies, planned, rounds, comparisons, below, environment.get("audit"), notes)
    found += address_warnings(samples.blocks, planned, environment)
    checks, doubts = checked(CheckedRun(planned, samples, indices_of, measured, policies, comparisons))
    found += doubts
    by_proxy = [name for name, cell in cells.items() if "proxy" in peers_of(planned.of_cell(cell), cell.policy)]
    is_tls = all(target.is_tls for target in planned.each_target)
    lines = [
        *verdict_clauses(policies, comparisons, found, swept, by_proxy, is_tls),
        *reuse_clauses(policies, cells),
        *floor_clauses(below, policies, len(comparisons)),
        *check_clauses(checks),
        *precision_clauses(precision, found, len(policies)),
    ]
    summary: Summary = {
        "schema": SCHEMA,
        "run": name,
        "plan": plan,
        "environment": environment,
        "warnings": found,
        "checks": checks,
        "verdict": "; ".join(lines),
        "verdict_lines": lines,
        "policies": policies,
        "comparisons": comparisons,
        "precision": precision,
        "sweep": swept,
        "blocks": [_block(block, measured[block["policy"]]) for block in samples.blocks],
    }
    if starts is not None:
        summary["block_starts"] = starts
    if samples.incomplete:
        summary["incomplete_rounds"] = incomplete_rounds(samples)
    if with_curve:
        summary["latency_slices"] = latency_slices(samples.blocks, measured)
    return summary


def thinned(samples: Samples) -> list[RunWarning]:
    """At most one warning: that some figures come from a share of the samples."""
    counted = add_up([block["counted"] for block in samples.blocks])
    kept, requests = counted["kept"], counted["requests"]
    if kept == requests:
        return []
    share = f"{kept:,} of {requests:,} samples ({share_text(kept / requests)}), drawn at random"
    if "sums_ns" in counted:
        message = (
            f"counts, throughput, means and maxima of latency and phases are of all requests, and so are their "
            f"percentiles, from histograms (within {ERROR:.1%}); the rest, and how wide intervals are, is of {share}"
        )
    else:
        message = f"percentiles, means and maxima come from {share}; counts and throughput are of all"
    return [{"code": WarningCode.SAMPLES_THINNED.value, "message": message}]


def _block(block: BlockFacts, measured: PolicySamples) -> BlockSummary:
    """One block for the chart over time."""
    number = block["round"]
    p50, p99 = _block_quantiles(block, measured)
    seconds = block["window_ns"] / NS_PER_S
    return {
        "index": block["index"],
        "round": number,
        "policy": block["policy"],
        "started": block["started"],
        "exchanges": block["exchanges"],
        "connections": block["connections"],
        "seconds": seconds,
        "throughput_rps": float(measured.answered[number]) / seconds if seconds else 0.0,
        "latency_mean_ns": _block_mean(measured, number),
        "latency_p50_ns": p50,
        "latency_p99_ns": p99,
        "reuse_ratio": _reuse_ratio(block),
        "handshake_mean_ns": measured.handshake_mean_ns(number),
    }


def _reuse_ratio(block: BlockFacts) -> float | None:
    counted = block["counted"]
    return counted["reused"] / counted["requests"] if counted["requests"] else None


def _block_mean(measured: PolicySamples, number: int) -> int | None:
    """Mean latency (ns) of a policy's block in a round; None where nothing was answered."""
    requests = measured.latency_counts[number]
    return round(float(measured.latency_sums_ns[number] / requests)) if requests else None


def _block_quantiles(block: BlockFacts, measured: PolicySamples) -> Sequence[int | None]:
    """Median and p99 latency (ns) of a block; None where nothing was answered."""
    if measured.totals is not None and block["index"] in measured.totals.latency_of:
        longest_ns = block["counted"]["max_ns"][LATENCY]
        return measured.totals.latency_of[block["index"]].quantiles_ns(_P50_P99, longest_ns)
    ordered = measured.by_round.ordered[block["round"]]
    return [quantile(ordered, share) for share in _P50_P99] if len(ordered) else (None, None)
