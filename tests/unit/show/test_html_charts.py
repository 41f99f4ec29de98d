"""What the report's charts are drawn from, and what is inlined to draw them."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from loadgen.show.export.html_chart_data import chart_data
from loadgen.show.export.html_charts import charts_html
from loadgen.show.export.page import STATIC
from loadgen.show.export.scripts import scripted_policy, scripts_html, to_script_text
from loadgen.show.ordering import MAX_SERIES
from tests.support.hostile_texts import NAME, hostile
from tests.support.synthetic import full_run, sweep_plan, sweep_run

VENDOR = STATIC / "vendor"
VENDORED: list[dict[str, str]] = json.loads((VENDOR / "packages.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return full_run(tmp_path_factory.mktemp("charts") / "run", url="https://h/").summary()


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Any:
    plan = sweep_plan(recycle=("1", "2", "5", "10", "100", "1000", "inf"), users=(1, 2))
    return sweep_run(tmp_path_factory.mktemp("charts") / "swept", plan).summary()


@pytest.mark.parametrize("one", VENDORED, ids=lambda one: one["file"])
def test_a_library_is_the_published_file(one: dict[str, str]) -> None:
    content = (VENDOR / one["file"]).read_bytes()
    assert sha256(content).hexdigest() == one["sha256"]
    assert f"v{one['version']} ".encode() in content[:100]
    licence = (VENDOR / f"{one['file'].partition('.')[0]}.LICENSE").read_text(encoding="utf-8")
    assert "Permission to use, copy, modify, and/or distribute this software" in licence


def test_each_vendored_file_is_listed_with_its_package() -> None:
    assert {path.name for path in VENDOR.glob("*.js")} == {one["file"] for one in VENDORED}


def test_no_inlined_text_ends_its_element() -> None:
    assert not [path.name for path in STATIC.rglob("*.js") if re.search("</script|<!--", path.read_text("utf-8"))]
    assert "</" not in (STATIC / "page.css").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("path", sorted((STATIC / "report").glob("*.js")), ids=lambda path: path.name)
def test_our_scripts_are_well_formed(path: Path) -> None:
    done = subprocess.run(["node", "--check", path], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""


def test_the_waterfall_leads_from_one_mean_to_the_other(summary: Any) -> None:
    (one,) = chart_data(summary)["comparisons"]
    assert one["from"] + sum(delta for _, delta in one["steps"]) == pytest.approx(one["to"], abs=10)
    assert {name for name, _ in one["steps"]} >= {"connect", "tls", "wait"}
    assert one["ci95"][0] <= one["to"] - one["from"] <= one["ci95"][1]


def test_the_data_are_the_summary_s(summary: Any) -> None:
    data = chart_data(summary)
    assert data["policies"] == list(summary["policies"])
    for number, one in enumerate(summary["policies"].values()):
        assert sum(count for _, _, count in data["latency"][number]["bins"]) == one["requests"]
        assert sum(ns for _, ns in data["means"][number]["phases"]) == pytest.approx(one["latency_ns"]["mean"], abs=10)
        answered = [block["answered"] for block in data["blocks"] if block["policy"] == number]
        assert sum(answered) == one["answered"]
    assert [block["block"] for block in data["blocks"]] == list(range(1, 11))
    assert [sum(one["counts"]) for one in data["slices"]] == [block["answered"] for block in data["blocks"]]
    assert [one["blocks"] for one in data["slices"]] == [[number, number] for number in range(1, 11)]


def test_what_a_run_has_nothing_of_has_no_chart(summary: Any) -> None:
    alone = copy.deepcopy(summary) | {"comparisons": []}
    for one in alone["policies"].values():
        one["latency_ns"].update(curve=[], histogram=[])
    assert chart_data(alone).keys() == {
        "policies",
        "phases",
        "means",
        "throughput",
        "connections",
        "slices",
        "blocks",
        "lines",
    }
    page = charts_html(chart_data(alone), {"extra_time": b"<svg/>", "phases": b"<svg/>"})
    assert "data-plot=phases" in page
    assert "data-plot=extra_time" not in page
    assert page.count("<img ") == 2


def test_earlier_runs_without_new_keys_are_drawn(summary: Any) -> None:
    earlier = copy.deepcopy(summary)
    for one in earlier["policies"].values():
        del one["latency_ns"]["histogram"], one["latency_ns"]["mean_ci95"], one["phases_ns"]["upgrade"]
    for one in earlier["comparisons"]:
        del one["latency_mean_delta_ci95"]
    del earlier["latency_slices"]
    data = chart_data(earlier)
    assert [one["bins"] for one in data["latency"]] == [[], []]
    assert "slices" not in data


def test_more_policies_than_colours_have_bars_and_no_lines(swept: Any) -> None:
    assert len(swept["policies"]) > MAX_SERIES
    data = chart_data(swept)
    assert data.keys() == {"policies", "colours", "phases", "means", "throughput", "connections", "lines", "heat_map"}
    assert data["colours"] == [0] * len(swept["policies"])
    page = charts_html(data, {"extra_time": b"<svg/>", "amortisation": b"<svg/>"})
    assert "<figure class=scroll tabindex=0><img alt='extra time'" in page
    assert "data-plot=amortisation" in page


def test_without_charts_tables_sort_all_the_same(summary: Any) -> None:
    page = scripts_html(chart_data(summary | {"policies": {}, "comparisons": []}))
    assert page.count("<script>") == 1


def test_a_name_ends_no_script(summary: Any) -> None:
    evil = hostile(dict(summary))
    data = chart_data(evil)  # type: ignore[arg-type] # texts of any kind
    text = to_script_text(data)
    assert "<" not in text
    assert NAME in json.loads(text)["policies"]
    assert scripts_html(data).count("</script>") == scripts_html(chart_data(summary)).count("</script>")


def test_the_policy_names_each_text_by_its_hash() -> None:
    hashes = r"( 'sha256-[\w+/=]{44}')"
    expected = (
        f"default-src 'none'; script-src{hashes}{{3}}; style-src{hashes}{{2}}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert re.fullmatch(expected, scripted_policy())
