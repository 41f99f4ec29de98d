"""What the verdict says about a sweep's amortisation curves."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.measure.labels import declined_words, labels
from loadgen.measure.summary.verdict_words import NO_INTERVAL, estimate_text
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.sweep_summary import AmortisationSummary
from loadgen.model.units import plain_number

# If the largest K's share of handshakes is this small, that K saves all there is to save.
_ALL_BUT = 0.01


def amortised_sentence(groups: list[AmortisationSummary]) -> str:
    """One curve in full; of several the cheapest and the dearest."""
    if len(groups) == 1:
        curve = groups[0]
        cost, paid = _exchange(curve), _handshake(curve)
        sentence = f"a request costs {cost} plus {paid} for each new connection, shared by the K requests on it"
        if curve["k90"] is not None:
            sentence += f"; {_saved(curve)} is reached at K = {_k90(curve)}"
    else:
        by_paid = sorted(groups, key=lambda curve: curve["handshake_ns"])
        sentence = (
            f"a new connection costs {_ends(by_paid, groups, _handshake)} "
            f"in the {len(groups)} groups of cells that differ in K alone"
        )
        by_k90 = sorted((curve for curve in groups if curve["k90"] is not None), key=lambda curve: curve["k90"] or 0)
        if by_k90:
            sentence += f"; {_saved(by_k90[0])} is reached at K = {_ends(by_k90, groups, _k90)}"
    return sentence if groups[0]["exchange_ci95"] is not None else f"{sentence} {NO_INTERVAL}"


def declined_clause(groups: list[AmortisationSummary], policies: dict[str, PolicySummary]) -> str:
    """A clause about curves whose cells did not speak the protocol in their names; empty where all did."""
    cells = {cell["name"]: group["base"] for group in groups for cell in group["cells"]}
    # Only a policy that the plan names asks for another protocol; axes alone make none of HTTP/1.1.
    declined = dict.fromkeys(f"{base}" for name, base in cells.items() if declined_words(policies[name]))
    if not declined:
        return ""
    partly = "partly " if any(policies[name]["connections"]["upgraded"] for name in cells) else ""
    return f"; the server declined {', '.join(declined)}, so these figures are {partly}those of HTTP/1.1"


def _exchange(curve: AmortisationSummary) -> str:
    return estimate_text(curve["exchange_ns"], curve["exchange_ci95"])


def _handshake(curve: AmortisationSummary) -> str:
    return estimate_text(curve["handshake_ns"], curve["handshake_ci95"])


def _k90(curve: AmortisationSummary) -> str:
    bounds = "" if curve["k90_ci95"] is None else f" [{_k(curve['k90_ci95'][0])}, {_k(curve['k90_ci95'][1])}]"
    return f"{_k(curve['k90'] or 0)}{bounds}"


def _saved(curve: AmortisationSummary) -> str:
    """What the 90 % refer to: a grid that ends at a small K does not show what more reuse would save."""
    first, last = (curve["cells"][end]["requests_per_connection"] for end in (0, -1))
    if first is None or last is None or first < _ALL_BUT * last:
        return "90% of what reuse saves"
    return f"90% of what K = {_k(last)} saves over K = {_k(first)}"


def _ends(
    ordered: list[AmortisationSummary], groups: list[AmortisationSummary], write: Callable[[AmortisationSummary], str]
) -> str:
    """The lowest and the highest of the groups, each with its interval and its name."""
    names = labels(groups)
    low, high = (f"{write(one)} ({names[groups.index(one)]})" for one in (ordered[0], ordered[-1]))
    return low if low == high else f"{low} to {high}"


def _k(value: float) -> str:
    """K, with a decimal where it is small."""
    return f"{value:,.0f}" if value >= 9.95 else plain_number(round(value, 1))
