"""Cards of a page's first screen, and a verdict below them."""

from __future__ import annotations

from loadgen.show.export.cards import COST, Card, cards_html, verdict_html


def test_a_change_has_its_sign_its_interval_and_its_colour() -> None:
    page = cards_html(
        [
            Card("close", 2_000_000, [1_500_000, 2_500_000], "slower by 2 ms", COST, is_change=True),
            Card("<b>", None, None, "not answered"),
        ]
    )
    assert "<article class='card s0 is-cost'><h3>close</h3><p class=big>+2.00 ms <small>[+1.50, +2.50]</small>" in page
    assert "<article class='card s1 '><h3>&lt;b&gt;</h3><p class=big>– <small></small></p><p>not answered</p>" in page


def test_each_clause_of_a_verdict_is_a_line() -> None:
    assert verdict_html(["a & b", "c"]) == "<p class=verdict><span>a &amp; b</span><span>c</span></p>"
