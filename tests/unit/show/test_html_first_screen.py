"""The first screen of the report: cards, the small waterfall, what to do."""

from __future__ import annotations

import copy
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.records import Phase
from loadgen.model.warning_codes import WarningCode
from loadgen.show.export.html_advice import advice_html
from loadgen.show.export.html_answer import answer_html
from loadgen.show.export.html_waterfall import waterfall_html
from loadgen.show.export.page import STYLE
from tests.support.synthetic import full_run, sweep_plan, sweep_run


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return full_run(tmp_path_factory.mktemp("first") / "run", url="https://h/").summary()


def cards(page: str) -> list[tuple[str, str, str, str]]:
    """Classes, title, number and sentence of each card."""
    return re.findall(
        r"<article class='card ([^']*)'><h3>(.*?)</h3><p class=big>(.*?) <small>.*?</p><p>(.*?)</p>", page
    )


def test_each_policy_has_its_number_and_one_sentence(of_two: Any) -> None:
    (first, _, mean, takes), (second, name, delta, costs) = cards(answer_html(of_two))
    assert (first.split(), second.split()) == (["s0"], ["s1", "is-cost"])
    assert takes.startswith(f"persistent takes {mean} ")
    assert takes.endswith("% of its requests reused a connection")
    assert name == "close"
    assert delta.startswith("+")
    assert costs.startswith(f"close costs {delta[1:]} more per request on average")


def test_a_gain_a_cost_and_what_is_neither_look_different(of_two: Any) -> None:
    changed = copy.deepcopy(of_two)
    (comparison,) = changed["comparisons"]
    comparison["latency_mean_delta_ns"] *= -1
    assert [one[0] for one in cards(answer_html(changed))] == ["s0 ", "s1 is-gain"]
    comparison["is_certain"] = False
    assert [one[0] for one in cards(answer_html(changed))] == ["s0 ", "s1 "]


def test_a_verdict_that_says_more_than_the_cards_is_open(of_two: Any) -> None:
    assert "<details><summary>" in answer_html(of_two)
    doubtful = of_two | {"verdict_lines": [*of_two["verdict_lines"], "the generator was the bottleneck"]}
    page = answer_html(doubtful)
    assert "<details open>" in page
    # A line of the verdict is a whole sentence, with all of its clauses.
    assert f"<span>{escape(of_two['verdict'])}</span><span>the generator was the bottleneck</span>" in page


@pytest.mark.parametrize("change", [{"comparisons": []}, {"policies": {}}])
def test_without_a_comparison_the_verdict_is_the_answer(of_two: Any, change: Any) -> None:
    assert answer_html(of_two | change).startswith("<p class=verdict>")


def test_errors_are_no_answer(of_two: Any) -> None:
    changed = copy.deepcopy(of_two)
    changed["policies"]["close"]["statuses"] = {"503": changed["policies"]["close"]["requests"]}
    assert answer_html(changed).startswith("<p class=verdict>")


def test_a_sweep_says_what_a_connection_costs(tmp_path: Path) -> None:
    swept = sweep_run(tmp_path / "run", sweep_plan(recycle=("1", "2", "5", "10", "inf"))).summary()
    ((_, title, number, sentence),) = cards(answer_html(swept))
    assert title == "Each new connection"
    assert re.match(r"[\d.]+ µs", number)
    assert "shared by the K requests" in sentence


def test_bars_have_one_scale_and_end_at_the_mean(of_two: Any) -> None:
    page = waterfall_html(of_two)
    bars = re.findall(r"<svg role=img.*?</svg>", page)
    ends = [
        max(float(x) + float(width) for x, width in re.findall(r"x=([\d.]+)% width=([\d.]+)%", bar)) for bar in bars
    ]
    means = [one["latency_ns"]["mean"] for one in of_two["policies"].values()]
    assert ends[1] == pytest.approx(100, abs=0.1)
    assert ends[0] == pytest.approx(100 * means[0] / means[1], abs=0.1)
    assert "tls" in bars[1]
    assert "tls" not in bars[0]


def test_nothing_answered_has_no_bars(of_two: Any) -> None:
    assert waterfall_html(of_two | {"policies": {}}) == ""


def test_each_phase_has_a_colour() -> None:
    for phase in Phase:
        assert f".{phase.value}{{fill:var(--{phase.value})}}" in STYLE.replace("\n", "")
        assert f"--{phase.value}:#" in STYLE


def test_what_to_do_comes_first_and_what_to_know_after_it(of_two: Any) -> None:
    known = {"code": WarningCode.SAMPLES_THINNED.value, "message": "a <share>"}
    few = {"code": WarningCode.TOO_FEW_ROUNDS.value, "message": "3 rounds"}
    page = advice_html(of_two | {"warnings": [known, few]})
    assert "<b>Use at least <code>--rounds 5</code>, and blocks" in page
    assert page.index("too_few_rounds: 3 rounds") < page.index("samples_thinned: a &lt;share&gt;")


def test_a_run_without_a_warning_asks_for_nothing(of_two: Any) -> None:
    failed = {"passed": False}
    assert "none of its self-checks failed" in advice_html(of_two | {"warnings": [], "checks": [{"passed": True}]})
    assert "self-checks" not in advice_html(of_two | {"warnings": [], "checks": [failed]})
