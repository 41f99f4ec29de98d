"""What the web UI shows of a summary, as JSON: policies, the answer, gates, and what charts are drawn from.

The words and numbers are the report's. Computes no figure, and knows no run and no page.
"""

from __future__ import annotations

from typing import Any

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import Summary
from loadgen.show import tables
from loadgen.show.export.cards import amount_of
from loadgen.show.export.html_answer import answer_cards
from loadgen.show.export.html_chart_data import chart_data
from loadgen.show.export.round_chart_data import round_charts

Shown = dict[str, Any]
_REPORT_ALONE = frozenset({"blocks", "slices", "lines"})
"""What the report's charts are drawn from, and the tab's are not; it is large."""


def shown_figures(summary: Summary | None) -> Shown:
    """Everything but the charts; empty parts where there is no summary yet.

    verdict: one sentence; verdict_lines: its clauses. cards: [{title, amount, bounds, kind}]. policies: see
    `web_pages.View`. gates, balance: {headings, rows, note}.
    """
    if summary is None:
        return {
            "verdict": "",
            "verdict_lines": [],
            "cards": [],
            "policies": [],
            "gates": {"rows": []},
            "balance": {"rows": []},
        }
    gates, balance = tables.gates(summary), tables.balance(summary)
    return {
        "verdict": summary["verdict"],
        "verdict_lines": summary["verdict_lines"],
        "cards": [
            dict(zip(("amount", "bounds"), amount_of(card), strict=True)) | {"title": card.title, "kind": card.kind}
            for card in answer_cards(summary)
        ],
        "policies": [_policy(name, one) for name, one in summary["policies"].items()],
        "gates": {"headings": gates.headings, "rows": gates.rows, "note": tables.gates_note(summary)},
        "balance": {
            "headings": balance.headings,
            "rows": balance.rows,
            "note": tables.balance_note(summary) if balance.rows else "",
        },
    }


def shown_charts(summary: Summary | None) -> Shown:
    """What the tab's charts are drawn from; empty where there is nothing to draw."""
    if summary is None:
        return {}
    found = round_charts(summary)
    if found:
        found |= {key: value for key, value in chart_data(summary).items() if key not in _REPORT_ALONE}
    return found


def _policy(name: str, one: PolicySummary) -> Shown:
    connections, latency = one["connections"], one["latency_ns"]
    return {
        "name": name,
        "requests": one["requests"],
        "throughput_rps": one["throughput_rps"],
        "mean_ns": latency["mean"],
        "mean_ci95": latency["mean_ci95"],
        "p50_ns": latency["p50"],
        "p50_ci95": latency["p50_ci95"],
        "p99_ns": latency["p99"],
        "p99_ci95": latency["p99_ci95"],
        "phases_ns": {phase.value: one["phases_ns"][phase.value]["mean"] for phase in Phase},
        "opened": connections["opened"],
        "ideal": connections["ideal"],
        "reuse_ratio": connections["reuse_ratio"],
        "errors": one["errors"],
    }
