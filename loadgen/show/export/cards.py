"""A card: one number, large, with its interval and one sentence. The first screen of a page is made of cards.

Knows no run and no diff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.model.units import format_estimate
from loadgen.show.export.page import escape

COST, GAIN = "is-cost", "is-gain"


@dataclass(frozen=True, slots=True)
class Card:
    """One of them."""

    title: str
    value_ns: float | None
    interval_ns: Sequence[float] | None
    sentence: str
    kind: str = ""
    """COST or GAIN where the number is a certain difference; they differ in colour."""
    is_change: bool = False
    """The number is a difference, written with its sign."""


def cards_html(cards: Sequence[Card]) -> str:
    """The cards, as many in a row as there is room for; each has the colour of its place among them."""
    return f"<div class=cards>{''.join(_card_html(number, card) for number, card in enumerate(cards))}</div>"


def verdict_html(clauses: Sequence[str]) -> str:
    """A verdict with each of its clauses on a line of its own."""
    return f"<p class=verdict>{''.join(f'<span>{escape(clause)}</span>' for clause in clauses)}</p>"


def amount_of(card: Card) -> tuple[str, str]:
    """A card's number and its interval, as they are written."""
    if card.value_ns is None:
        return "–", ""
    return format_estimate(card.value_ns, card.interval_ns, sign=card.is_change)


def _card_html(number: int, card: Card) -> str:
    amount, bounds = amount_of(card)
    return (
        f"<article class='card s{number} {card.kind}'><h3>{escape(card.title)}</h3>"
        f"<p class=big>{escape(amount)} <small>{escape(bounds)}</small></p><p>{escape(card.sentence)}</p></article>"
    )
