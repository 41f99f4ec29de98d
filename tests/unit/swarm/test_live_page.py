"""What the web UI shows of a summary: the report's numbers and words, and what its charts are drawn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.records import Phase
from loadgen.show.export import EXPORTERS, RunData, export_text
from loadgen.swarm.live_page import shown_charts, shown_figures
from tests.support.synthetic import full_run


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return full_run(tmp_path_factory.mktemp("page") / "run").summary()


def test_numbers_and_words_are_those_of_the_report(summary: Any, tmp_path: Path) -> None:
    shown = shown_figures(summary)
    report = export_text(EXPORTERS["html"], RunData(summary, draws=False))
    assert [card["title"] for card in shown["cards"]] == ["persistent", "close"]
    for card in shown["cards"]:
        assert f"<p class=big>{card['amount']} <small>{card['bounds']}</small>" in report
    assert shown["verdict_lines"] == summary["verdict_lines"]
    assert [one["p99_ns"] for one in shown["policies"]] == [
        one["latency_ns"]["p99"] for one in summary["policies"].values()
    ]
    assert {tuple(one["phases_ns"]) for one in shown["policies"]} == {tuple(phase.value for phase in Phase)}


def test_charts_are_drawn_from_the_summary_alone(summary: Any) -> None:
    shown = shown_charts(summary)
    assert shown.keys() >= {"rounds", "differences", "endings", "comparisons", "latency", "means"}
    assert len(json.dumps(shown)) < 20_000


def test_before_the_first_figures_there_is_nothing() -> None:
    assert shown_charts(None) == {}
    assert shown_figures(None)["policies"] == shown_figures(None)["cards"] == []
