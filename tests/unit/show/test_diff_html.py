"""A diff as a page: the answer first, the data of its charts, and nothing that a run's name could do."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import numpy as np
import pytest

from loadgen.measure.diff.run_diff import diff_runs
from loadgen.show.export.diff_chart_data import diff_chart_data
from loadgen.show.export.diff_html import diff_html
from loadgen.show.export.scripts import scripted_policy
from loadgen.show.ordering import MAX_BARS
from tests.support.hostile_texts import NAME, texts, without_scripts
from tests.support.simulated_diffs import run


@pytest.fixture(scope="module")
def slower() -> Any:
    random = np.random.default_rng(1)
    return diff_runs([run(random)], run(random, 1_000_000))


def words(page: str) -> str:
    """The text of the page before its scripts."""
    return " ".join(re.sub(r"<style.*?</style>|<script.*|<[^>]*>", " ", page, flags=re.DOTALL).split())


def test_the_answer_comes_first_then_charts_and_tables(slower: Any) -> None:
    page = diff_html(slower)
    assert scripted_policy() in page
    text = words(page)
    parts = [slower["verdict"][0].removeprefix("persistent: "), "Charts", "What changed", "In what the runs differ"]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)
    assert page.count("class='card s") == 2
    assert "is-cost" in page
    assert slower["verdict"][2] in text
    assert page.count("data-plot=") == 3


def test_certain_changes_have_the_colour_of_what_they_are(slower: Any) -> None:
    data = diff_chart_data(slower)
    kinds = {(tuple(one["policies"]), one["statistic"]): one["kind"] for one in data["ratio_changes"]}
    assert kinds[(0,), "mean latency"] == "cost"
    assert kinds[(0,), "throughput"] == ""
    assert kinds[(1, 0), "mean latency"] == "change"
    change = copy.deepcopy(slower)
    change["policies"]["close"]["throughput_rps"] |= {"is_certain": True, "delta": -5.0}
    change["policies"]["close"]["latency_ns"]["p50"] |= {"is_certain": True, "delta": -5.0}
    kinds = {
        (one["policies"][0], one["statistic"]): one["kind"] for one in diff_chart_data(change)["ratio_changes"][:-1]
    }
    assert (kinds[1, "throughput"], kinds[1, "p50"]) == ("cost", "gain")


def test_the_data_are_the_diff_s(slower: Any) -> None:
    data = diff_chart_data(slower)
    assert data["policies"] == ["persistent", "close"]
    mean = slower["policies"]["close"]["latency_ns"]["mean"]
    assert data["mean_changes"][1] == {"policy": 1, "old": mean["old"], "new": mean["new"], "ci95": mean["delta_ci95"]}
    (wait,) = [one for one in data["phase_changes"] if one["policy"] == 1]
    assert (wait["phase"], wait["delta"]) == ("wait", slower["policies"]["close"]["phases_ns"]["wait"]["delta"])


def test_of_many_policies_the_charts_show_the_means_of_the_first(slower: Any) -> None:
    policy = slower["policies"]["persistent"]
    many = slower | {"policies": {f"cell {n}": policy for n in range(MAX_BARS + 1)}, "comparisons": []}
    data = diff_chart_data(many)
    assert len(data["policies"]) == len(data["ratio_changes"]) == MAX_BARS
    page = diff_html(many)
    assert "class='card" not in page
    assert f"the first {MAX_BARS} policies" in page


def test_runs_without_a_common_policy_have_a_page_without_charts(slower: Any) -> None:
    page = diff_html(slower | {"policies": {}, "comparisons": [], "left_out": ["close"], "verdict": ["close: not"]})
    assert "<figure" not in page
    assert "<p class=verdict><span>close: not</span>" in page


def test_hostile_names_stay_inert(slower: Any) -> None:
    evil = copy.deepcopy(slower)
    text = " ".join(texts())
    evil["new"]["run"] = evil["old"][0]["path"] = text
    evil["verdict"] = texts()
    evil["unlike"] = [{"what": text, "old": text, "new": text, "is_refused": True}]
    evil["policies"] = {NAME: evil["policies"]["close"], text: evil["policies"]["persistent"]}
    page = diff_html(evil)
    assert page.count("<script") == diff_html(slower).count("<script")
    assert NAME in json.loads(re.findall(r"id=loadgen-data>(.*?)</script>", page)[0])["policies"]
    shown = without_scripts(page)
    assert not [one for one in texts() if one in shown]
