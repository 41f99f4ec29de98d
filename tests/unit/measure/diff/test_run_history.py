"""The headline of many runs, in groups of like plans."""

from __future__ import annotations

from typing import Any

from loadgen.measure.diff.run_history import SummarisedRun, run_history
from tests.support.summary_schema import check_history
from tests.support.synthetic import ENVIRONMENT, plan_json


def summarised(name: str, started: str, **plan: Any) -> SummarisedRun:
    record: Any = {
        "name": name,
        "plan": plan_json(**plan),
        "environment": ENVIRONMENT | {"started": started},
        "notes": [],
    }
    summary: Any = {
        "policies": {"close": {"latency_ns": {"mean": 5}, "throughput_rps": 2.5}},
        "comparisons": [
            {"baseline": "a", "candidate": "b", "latency_mean_ratio": 2.0, "latency_mean_ratio_ci95": [1.9, 2.1]}
        ],
    }
    return SummarisedRun(f"results/{name}", record, summary, "GET it")


def test_runs_are_grouped_by_plan_and_ordered_by_time() -> None:
    runs = [summarised("new", "2026-02"), summarised("old", "2026-01"), summarised("other", "2026-03", method="HEAD")]
    history = run_history(runs, [])
    check_history(history)
    assert [[run["run"] for run in group["runs"]] for group in history["groups"]] == [["old", "new"], ["other"]]
    first = history["groups"][0]["runs"][0]
    assert first["policies"]["close"] == {"latency_mean_ns": 5, "latency_mean_ci95": None, "throughput_rps": 2.5}
    assert first["changed"] == []


def test_groups_of_the_same_title_say_in_what_their_plans_differ() -> None:
    plans: list[dict[str, Any]] = [{}, {"retry_stale": True, "rounds": 7}, {"rounds": 9}]
    history = run_history([summarised(str(at), str(at), **plan) for at, plan in enumerate(plans)], [])
    assert [group["title"] for group in history["groups"]] == [
        "GET it; stale requests are sent again no",
        "GET it; stale requests are sent again yes",
    ]


def test_more_rounds_are_no_change_of_the_environment() -> None:
    (group,) = run_history([summarised("a", "1"), summarised("b", "2", rounds=9)], [])["groups"]
    assert group["runs"][1]["changed"] == []


def test_a_summary_of_another_form_is_left_out_with_the_reason() -> None:
    broken = summarised("broken", "1")
    broken.summary["policies"]["close"]["latency_ns"]["mean"] = "much"  # type: ignore[typeddict-item] # edited by hand
    lacking = summarised("lacking", "2")
    del lacking.summary["comparisons"][0]["latency_mean_ratio"]  # type: ignore[misc] # an old version's
    history = run_history([broken, lacking, summarised("whole", "3")], [{"path": "x", "reason": "y"}])
    assert [one["path"] for one in history["left_out"]] == ["x", "results/broken", "results/lacking"]
    assert "latency_mean_ratio" in history["left_out"][2]["reason"]
    assert [len(group["runs"]) for group in history["groups"]] == [1]
