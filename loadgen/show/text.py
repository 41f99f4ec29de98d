"""The summary as rows of text, for the shell, Markdown and HTML alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadgen.measure.labels import labels, plain_number
from loadgen.model.records import HANDSHAKE, Phase
from loadgen.model.units import count, format_duration

HEADINGS = ("policy", "req/s", "p50", "p99", "handshake", "connections", "errors")
AMORTISATION_HEADINGS = (
    "cells that differ in K alone", "exchange", "handshake", "R²", "saving", "90% of it at K", "by the model",
)  # fmt: skip
_HANDSHAKE = tuple(phase.value for phase in HANDSHAKE)


def in_order(summary: dict[str, Any]) -> list[str]:
    """The names of the policies; a sweep's cells sorted by their axes."""
    names = list(summary["policies"])
    if not summary["sweep"]:
        return names
    cells = summary["sweep"]["cells"]
    bases = list(dict.fromkeys(cell["base"] for cell in cells.values()))

    def key(name: str) -> tuple[Any, ...]:
        one = cells[name]
        numbers = (
            one["users"] or 0,
            one["rate"] or 0,
            one["requests"] or float("inf"),
            one["gap_ns"],
            one["size"] or 0,
        )
        return (bases.index(one["base"]), *numbers)

    return sorted(names, key=key)


def rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row a policy, under HEADINGS. `handshake` is the mean of what a request paid that opened a connection."""
    table: list[tuple[str, ...]] = []
    for name in in_order(summary):
        one = summary["policies"][name]
        connections, latency = one["connections"], one["latency_ns"]
        table.append(
            (
                name,
                f"{one['throughput_rps']:,.0f}",
                duration(latency["p50"]),
                duration(latency["p99"]),
                duration(handshake_ns(one)),
                f"opened {connections['opened']:,} (ideal {connections['ideal']:,})",
                f"{sum(one['errors'].values()):,}",
            )
        )
    return table


def markdown(summary: dict[str, Any]) -> str:
    """Verdict and tables for a page in Markdown: an issue, a README, a CI log."""
    text = f"> {summary['verdict']}\n\n{_markdown_table(HEADINGS, rows(summary))}"
    curves = amortisation_rows(summary)
    return f"{text}\n{_markdown_table(AMORTISATION_HEADINGS, curves)}" if curves else text


def _markdown_table(headings: tuple[str, ...], table: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *table]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def phase_names(summary: dict[str, Any]) -> list[str]:
    """The phases in their order; the way through a proxy is left out where there was none."""
    tunnelled = any(one["phases_ns"][Phase.TUNNEL.value]["count"] for one in summary["policies"].values())
    return [phase.value for phase in Phase if tunnelled or phase is not Phase.TUNNEL]


def phase_rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row a policy: its name, then the mean of each of `phase_names` where it happened."""
    policies = summary["policies"]
    return [
        (name, *(duration(policies[name]["phases_ns"][phase]["mean"]) for phase in phase_names(summary)))
        for name in in_order(summary)
    ]


def amortisation_rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row for each group of a sweep's cells that differ in K alone, under AMORTISATION_HEADINGS."""
    groups = summary["sweep"]["amortisation"] if summary["sweep"] else []
    return [
        (
            label,
            with_interval(one["exchange_ns"], one["exchange_ci95"], format_duration),
            with_interval(one["handshake_ns"], one["handshake_ci95"], format_duration),
            "–" if one["r2"] is None else f"{one['r2']:.4f}",
            with_interval(one["saving_ns"], one["saving_ci95"], format_duration),
            "–" if one["k90"] is None else with_interval(one["k90"], one["k90_ci95"], "{:,.1f}".format),
            f"{one['k90_model']:,.1f}",
        )
        for label, one in zip(labels(groups), groups, strict=True)
    ]


def load_text(plan: dict[str, Any]) -> str:
    """Who sends: users or arrivals, and what a sweep varies."""
    axes = {name: values for name, values in plan["axes"].items() if values}
    parts = [
        f"{name} {', '.join(plain_number(value) if name == 'rate' else str(value) for value in axes[name])}"
        for name in axes
    ]
    if plan["rate_rps"] and "rate" not in axes:
        parts.insert(0, f"{plain_number(plan['rate_rps'])} arrivals/s ({plan['arrivals']})")
    elif not (plan["rate_rps"] or "rate" in axes or "users" in axes):
        parts.insert(0, count(plan["users"], "user"))
    if plan["think_ns"]:
        parts.append(f"think {format_duration(plan['think_ns'])}")
    return "; ".join(parts)


def handshake_ns(policy: dict[str, Any]) -> float | None:
    """Mean of the handshake (dns to upgrade) over the requests that paid them; None where none did."""
    # A summary of an earlier version lacks phases that it knew nothing of.
    paid = [policy["phases_ns"][phase] for phase in _HANDSHAKE if phase in policy["phases_ns"]]
    most = max(one["count"] for one in paid)
    return sum(one["count"] * one["mean"] for one in paid if one["count"]) / most if most else None


def duration(value_ns: float | None) -> str:
    """A duration for a table's cell; a dash where it is absent."""
    return "–" if value_ns is None else format_duration(value_ns)


def with_interval(value: float, interval: list[float] | None, write: Callable[[float], str]) -> str:
    """A value with its interval in brackets, where there is one."""
    return write(value) + ("" if interval is None else f" [{write(interval[0])}, {write(interval[1])}]")
