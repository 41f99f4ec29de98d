"""`diff.html`: what changed from earlier runs to a new one, on one page that needs no other file."""

from __future__ import annotations

from loadgen.measure.diff.diff_verdict import policy_sentence
from loadgen.model.diff_record import DiffRecord
from loadgen.show.export.cards import COST, GAIN, Card, cards_html, verdict_html
from loadgen.show.export.diff_chart_data import diff_chart_data, kind_of_change
from loadgen.show.export.page import escape, figure_html, opening, section_html
from loadgen.show.export.scripts import ChartData, scripted_policy, scripts_html
from loadgen.show.ordering import MAX_BARS, MAX_SERIES
from loadgen.show.tables.gates import gate_table
from loadgen.show.tables.run_changes import compared_runs, old_runs, run_changes, unlike_facts

_TITLES = {
    "mean_changes": "Mean latency: before and now",
    "ratio_changes": "By how much: now / before",
    "phase_changes": "Where it changed: mean of each phase per request, now less before",
}
_CARD_KINDS = {"cost": COST, "gain": GAIN, "": ""}
_NOTE = (
    "Bars: grey before, coloured now. Points: coloured where the change is certain, for the worse or for the better; "
    "grey where it is not. Lines with ends: 95 % intervals of the change."
)
_WITHOUT_SCRIPTS = "<noscript><p class=facts>The table below has these numbers; drawing needs scripts.</p></noscript>"
_CHANGES = "In brackets: 95 % intervals. Certain: all changes that are called so together are right at 95 %."
_UNLIKE = "What matters decides what is measured, so runs that differ in it are compared by --force alone."
_TEXT = " class=text"


def diff_html(diff: DiffRecord) -> str:
    """The page."""
    data = diff_chart_data(diff)
    title = f"{diff['new']['path']} compared with {old_runs(diff)}"
    parts = [
        opening(title, scripted_policy()),
        f"<h1>{escape(title)}</h1><p class=facts>{escape(_facts(diff))}</p>",
        diff_answer_html(diff),
        section_html("Gates", gate_table(diff.get("gates", ())), of_class=_TEXT),
        _charts(diff, data),
        section_html("What changed", run_changes(diff), _CHANGES),
        section_html("In what the runs differ", unlike_facts(diff), _UNLIKE, _TEXT)
        or "<h2>In what the runs differ</h2><p>In nothing that is known of plan and environment.</p>",
        section_html("The runs", compared_runs(diff), of_class=_TEXT),
        scripts_html(data),
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def diff_answer_html(diff: DiffRecord) -> str:
    """A card for each policy and the rest of the verdict below; of many policies the verdict alone."""
    if not 0 < len(diff["policies"]) <= MAX_SERIES:
        return verdict_html(diff["verdict"])
    cards = []
    for name, policy in diff["policies"].items():
        mean = policy["latency_ns"]["mean"]
        kind = _CARD_KINDS[kind_of_change(mean, rising_is_worse=True)]
        cards.append(Card(name, mean["delta"], mean["delta_ci95"], policy_sentence(policy), kind, is_change=True))
    others = diff["verdict"][len(cards) :]  # those of the policies come first
    return cards_html(cards) + (verdict_html(others) if others else "")


def _facts(diff: DiffRecord) -> str:
    rounds = {(one["old_rounds"], one["new_rounds"]) for one in diff["policies"].values()}
    spread = {
        "rounds": "intervals from the rounds of both runs",
        "runs": "intervals from the spread between the earlier runs",
    }[diff["spread"]]
    counted = f"{', '.join(f'{old} rounds before, {new} now' for old, new in sorted(rounds))}; " if rounds else ""
    return f"{counted}{spread}"


def _charts(diff: DiffRecord, data: ChartData) -> str:
    figures = [figure_html(name, title, _WITHOUT_SCRIPTS) for name, title in _TITLES.items() if name in data]
    if not figures:
        return ""
    left_out = len(diff["policies"]) - MAX_BARS
    more = f" The charts show the first {MAX_BARS} policies; the table has all." if left_out > 0 else ""
    return "\n".join((f"<h2>Charts</h2><p class=facts>{_NOTE}{more}</p>", *figures))
