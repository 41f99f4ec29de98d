"""The first screen of the report: a card for each policy with its number, large, and one sentence.

A run whose answer does not fit on a few cards (a sweep, many policies, responses that are errors) has its verdict
there instead. What to do about it: html_advice.py.
"""

from __future__ import annotations

from loadgen.measure.labels import labels
from loadgen.measure.stats.statuses import StatusCounts
from loadgen.measure.summary.verdict_differences import difference_sentence
from loadgen.measure.summary.verdict_words import sides
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import ComparisonSummary, Summary
from loadgen.model.sweep_summary import AmortisationSummary
from loadgen.model.units import format_estimate, share_text
from loadgen.show.export.cards import COST, GAIN, Card, cards_html, verdict_html
from loadgen.show.formatting import verdict_lines
from loadgen.show.ordering import MAX_SERIES


def answer_html(summary: Summary) -> str:
    """The cards, and the verdict below them; or the verdict alone."""
    cards = answer_cards(summary)
    lines = verdict_lines(summary)
    verdict = verdict_html(lines)
    if not cards:
        return verdict
    # A verdict that says more than the cards has a doubt, which must not be hidden.
    is_said = set(lines) <= {card.sentence for card in cards}
    return (
        f"{cards_html(cards)}"
        f"<details{'' if is_said else ' open'}><summary>The whole verdict</summary>{verdict}</details>"
    )


def answer_cards(summary: Summary) -> list[Card]:
    """A card for each policy, or for each curve of a sweep; none where the answer does not fit on a few."""
    policies = summary["policies"]
    if summary["sweep"] is not None:
        curves = summary["sweep"]["amortisation"]
        titles = ["Each new connection"] if len(curves) == 1 else labels(curves)
        return [_of_curve(*one) for one in zip(titles, curves, strict=True)] if len(curves) <= MAX_SERIES else []
    is_answered = all(one["requests"] and not StatusCounts.of([one]).are_unwanted for one in policies.values())
    if not (summary["comparisons"] and is_answered and len(policies) <= MAX_SERIES):
        return []
    if any("target" in one for one in policies.values()):
        return [_of_difference(one, summary) for one in summary["comparisons"]]
    return [_of_policy(name, one, summary) for name, one in policies.items()]


def _of_difference(comparison: ComparisonSummary, summary: Summary) -> Card:
    """Of several targets each difference has a card: `persistent: B`, `on A: close`."""
    both = sides(comparison, summary["policies"])
    sentence = difference_sentence(comparison, summary["policies"], len(summary["comparisons"]))
    change_ns, interval_ns = comparison["latency_mean_delta_ns"], comparison["latency_mean_delta_ci95"]
    title = f"{both.lead}{both.candidate}"
    return Card(title, change_ns, interval_ns, sentence, _kind(comparison), is_change=True)


def _of_policy(name: str, one: PolicySummary, summary: Summary) -> Card:
    """A candidate's card says what it adds to its baseline; any other policy's says what a request takes."""
    found = [comparison for comparison in summary["comparisons"] if comparison["candidate"] == name]
    if not found:
        latency, reused = one["latency_ns"], one["connections"]["reuse_ratio"]
        mean = " ".join(filter(None, format_estimate(latency["mean"] or 0, latency["mean_ci95"])))
        sentence = (
            f"{name} takes {mean} per request on average; {share_text(reused)} of its requests reused a connection"
        )
        return Card(name, latency["mean"], latency["mean_ci95"], sentence)
    family = len(summary["comparisons"])
    sentences = "; ".join(difference_sentence(comparison, summary["policies"], family) for comparison in found)
    first = found[0]
    return Card(
        name, first["latency_mean_delta_ns"], first["latency_mean_delta_ci95"], sentences, _kind(first), is_change=True
    )


def _kind(comparison: ComparisonSummary) -> str:
    if comparison["latency_mean_delta_ci95"] is not None and not comparison["is_certain"]:
        return ""
    return COST if comparison["latency_mean_delta_ns"] > 0 else GAIN


def _of_curve(title: str, curve: AmortisationSummary) -> Card:
    exchange = " ".join(filter(None, format_estimate(curve["exchange_ns"], curve["exchange_ci95"])))
    sentence = f"A new connection costs this, shared by the K requests on it; each takes {exchange} beside that"
    if curve["k90"] is not None:
        sentence += f"; 90% of the saving is reached at K = {curve['k90']:,.1f}"
    return Card(title, curve["handshake_ns"], curve["handshake_ci95"], sentence, COST)
