"""Tables of what was measured: each policy, its phases, the differences between policies, a sweep's curves."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.measure.labels import labels
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import HANDSHAKE, Phase
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration, format_number, percent_text, plain_number, rate_text
from loadgen.show.formatting import ABSENT, duration, estimate, integer, with_interval
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.floor import floor_rows
from loadgen.show.tables.table import Row, Table

_POLICIES = ("policy", "req/s", "mean", "p50", "p99", "handshake", "connections", "errors")
_DIFFERENCES = (
    "candidate", "baseline", "mean difference", "certain", "handshake", "residual", "mean ratio", "p50 ratio",
    "p99 ratio", "throughput ratio",
)  # fmt: skip
_ARRIVALS = ("policy", "offered", "due", "never started", "late p50", "late p99", "late max")
_AMORTISATION = (
    "cells that differ in K alone", "exchange", "handshake", "R²", "saving", "90% of it at K", "by the model",
)  # fmt: skip
_CLEAR_RATIO = 2
_OWN = "beside them: the generator's own work"


def policies(summary: Summary) -> Table:
    """One row a policy. `handshake` is the mean over the requests that opened a connection."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        connections, latency = one["connections"], one["latency_ns"]
        rows.append(
            (
                name,
                rate_text(one["throughput_rps"]),
                estimate(latency["mean"], latency["mean_ci95"]),
                estimate(latency["p50"], latency["p50_ci95"]),
                estimate(latency["p99"], latency["p99_ci95"]),
                duration(_handshake_ns(one)),
                f"opened {connections['opened']:,} (ideal {connections['ideal']:,})",
                integer(sum(one["errors"].values())),
            )
        )
    return Table(_POLICIES, rows)


def _handshake_ns(policy: PolicySummary) -> float | None:
    """Mean of the handshake (dns to upgrade) over the requests that paid it; None where none did."""
    # A summary of an earlier version lacks phases that it did not know.
    paid = [policy["phases_ns"][phase.value] for phase in HANDSHAKE if phase.value in policy["phases_ns"]]
    requests = max(phase["count"] for phase in paid)
    return sum(phase["count"] * (phase["mean"] or 0) for phase in paid) / requests if requests else None


def phases(summary: Summary) -> Table:
    """One row a policy: the mean of each phase where it happened. A phase that happened nowhere has no column.

    The generator's own work comes last, apart from the phases, where there was any. Where the machine was calibrated,
    two rows below say what its floor is.
    """
    every = summary["policies"].values()
    names = [phase.value for phase in Phase if any(one["phases_ns"][phase.value]["count"] for one in every)]
    if not names:
        return Table(("policy",), [])
    own = {name: one["generator"].get("own_mean_ns") for name, one in policies_in_order(summary)}
    shows_own = any(own.values())
    rows: list[Row] = [
        (name, *(duration(one["phases_ns"][phase]["mean"]) for phase in names))
        + ((duration(own[name]),) if shows_own else ())
        for name, one in policies_in_order(summary)
    ]
    rows += [(*row, ABSENT) if shows_own else row for row in floor_rows(summary, names)]
    return Table(("policy", *names, _OWN) if shows_own else ("policy", *names), rows)


def differences(summary: Summary) -> Table:
    """Each comparison with its intervals: of the mean, which the verdict goes by, and of percentiles and throughput."""
    comparisons = summary["comparisons"]
    rows: list[Row] = [
        (
            one["candidate"],
            one["baseline"],
            estimate(one["latency_mean_delta_ns"], one["latency_mean_delta_ci95"], sign=True),
            "yes" if one["is_certain"] else "no",
            format_duration(one["handshake_mean_ns"]),
            format_duration(one["residual_mean_ns"]),
            _ratio(one["latency_mean_ratio"], one["latency_mean_ratio_ci95"]),
            _ratio(one["latency_p50_ratio"], one["latency_p50_ratio_ci95"]),
            _ratio(one["latency_p99_ratio"], one["latency_p99_ratio_ci95"]),
            _ratio(one["throughput_ratio"], one["throughput_ratio_ci95"]),
        )
        for one in comparisons
    ]
    found = [one["equivalence"] for one in comparisons if one["equivalence"] is not None]
    if len(found) < len(comparisons) or not found:
        return Table(_DIFFERENCES, rows)
    within = f"equivalent within {percent_text(found[0]['bound'])}"
    return Table(
        (*_DIFFERENCES, within),
        [(*row, "shown" if one["shown"] else "not shown") for row, one in zip(rows, found, strict=True)],
    )


def _ratio(value: float | None, interval: Sequence[float] | None) -> str:
    """Around 1 it takes more decimals to see a difference."""
    if value is None:
        return ABSENT
    decimals = 3 if value < _CLEAR_RATIO else 2
    return with_interval(value, interval, lambda number: format_number(number, decimals))


def arrivals(summary: Summary) -> Table:
    """How the offered load was met; no rows in a closed loop."""
    return Table(
        _ARRIVALS,
        [
            (
                name,
                f"{plain_number(found['rate_rps'])}/s",
                f"{found['due']:,}",
                f"{found['unstarted']:,}",
                duration(found["late_p50_ns"]),
                duration(found["late_p99_ns"]),
                duration(found["late_max_ns"]),
            )
            for name, one in policies_in_order(summary)
            if (found := one["arrivals"])
        ],
    )


def amortisation(summary: Summary) -> Table:
    """One row for each group of a sweep's cells that differ in K alone."""
    groups = summary["sweep"]["amortisation"] if summary["sweep"] else []
    return Table(
        _AMORTISATION,
        [
            (
                label,
                estimate(one["exchange_ns"], one["exchange_ci95"]),
                estimate(one["handshake_ns"], one["handshake_ci95"]),
                ABSENT if one["r2"] is None else f"{one['r2']:.4f}",
                estimate(one["saving_ns"], one["saving_ci95"]),
                ABSENT if one["k90"] is None else with_interval(one["k90"], one["k90_ci95"], "{:,.1f}".format),
                f"{one['k90_model']:,.1f}",
            )
            for label, one in zip(labels(groups), groups, strict=True)
        ],
    )
