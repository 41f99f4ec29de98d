"""What people see of a run: when figures are computed, and what is shown in each state."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.model.records import Phase
from loadgen.swarm.live_view import FAILED, FINISHED, RUNNING, LiveView
from tests.support.fake_swarm import Clock, plan
from tests.support.summaries import policy_summary

POLICY = policy_summary(
    requests=7, throughput_rps=3.5, errors={"truncated": 1},
    latency_ns={"mean": 11, "p50": 10, "p99": 20, "mean_ci95": [10, 12], "p50_ci95": None, "p99_ci95": [15, 30]},
    connections={"opened": 2, "ideal": 1, "reuse_ratio": 0.5},
    phases_ns={
        one.value: {"count": 7, "mean": 1, "p50": 1, "p99": 1, "mean_per_request": 1} for one in Phase
    },
)  # fmt: skip
FOUND = {
    "verdict": "so far", "verdict_lines": ["so far"], "policies": {}, "warnings": [], "comparisons": [], "blocks": [],
    "sweep": None,
}  # fmt: skip
"""A summary without any policy."""


class FakeRun:
    """Its figures take `takes_s` to be computed. computed: how often they were."""

    def __init__(self, clock: Clock, directory: Path) -> None:
        self.name = "r"
        self.directory = directory
        self.plan = plan()
        self.coordinator = SimpleNamespace(round=4)
        self.facts: dict[str, Any] = {"environment": {}, "notes": []}
        self.live = self
        self.blocks = 9
        self.computed = 0
        self.takes_s = 0.1
        self.rounds = 0
        self.warnings = [{"code": "samples_thinned", "message": "x"}, {"code": "generator_late", "message": "y"}]
        self._clock = clock

    def summary(self, name: str, plan: dict[str, Any], environment: Any, notes: Any) -> dict[str, Any]:
        self.computed += 1
        self.rounds = plan["rounds"]
        self._clock.now_s += self.takes_s
        return {**FOUND, "policies": {"close": POLICY}, "warnings": list(self.warnings)}


class Rig:
    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.view = LiveView(self.clock)
        self.run = FakeRun(self.clock, directory)

    def show(self) -> None:
        self.view.show(self.run)  # type: ignore[arg-type] # as much of a run as is looked at

    def refresh_after(self, seconds: float) -> None:
        self.clock.now_s += seconds
        self.view.refresh()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_before_a_run_there_is_nothing_to_see(rig: Rig) -> None:
    live = rig.view.live()
    assert (live["state"], live["run"], live["round"], live["blocks"]) == ("idle", None, 0, 0)
    assert (live["verdict"], live["warnings"], live["policies"]) == ("", [], [])
    assert rig.view.charts() == (None, [])
    assert rig.view.file("summary.json") is None
    rig.view.refresh()
    json.dumps(live)


def test_figures_are_computed_only_while_people_look(rig: Rig) -> None:
    rig.show()
    rig.refresh_after(1)
    assert rig.run.computed == 0
    rig.view.live()
    rig.refresh_after(1)
    assert rig.run.computed == 1
    rig.refresh_after(16)  # the last question was more than 15 s ago
    assert rig.run.computed == 1


def test_figures_take_less_than_two_percent_of_the_time(rig: Rig) -> None:
    rig.show()
    rig.view.live()
    rig.refresh_after(0)
    version = rig.view.live()["plots_version"]
    rig.refresh_after(6.5)
    assert rig.run.computed == 1
    assert rig.view.live()["plots_version"] == version
    rig.refresh_after(0.2)
    assert rig.run.computed == 2
    assert rig.view.live()["plots_version"] == version + 1


def test_the_figures_of_a_run_that_goes_on(rig: Rig) -> None:
    rig.show()
    rig.run.facts["notes"] = [{"code": "users_changed", "message": "z"}, {"code": "generator_late", "message": "first"}]
    rig.view.live()
    rig.view.users = 50
    rig.view.refresh()
    live = rig.view.live()
    assert (live["state"], live["run"], live["round"], live["blocks"], live["users"]) == ("running", "r", 5, 9, 50)
    assert rig.run.rounds == 5
    (policy,) = live["policies"]
    assert (policy["name"], policy["requests"], policy["p99_ns"], policy["reuse_ratio"]) == ("close", 7, 20, 0.5)
    assert (policy["mean_ns"], policy["mean_ci95"], policy["p99_ci95"]) == (11, [10, 12], [15, 30])
    assert policy["phases_ns"] == {phase.value: 1 for phase in Phase}
    # Warnings of the run come first and once; that figures are made from a share concerns only the end.
    assert [one["message"] for one in live["warnings"]] == ["z", "first"]


def test_gates_are_judged_as_they_stand(rig: Rig) -> None:
    rig.run.plan = replace(plan("close"), fail_if=("errors > 5%", "reuse_ratio > 0.9"))
    rig.show()
    rig.view.live()
    rig.view.refresh()
    gates = rig.view.live()["gates"]
    assert [row[:2] for row in gates["rows"]] == [("errors > 5%", "passed"), ("reuse_ratio > 0.9", "passed")]
    assert gates["note"] == "all 2 gates passed"


def test_after_the_end_the_folder_is_shown(rig: Rig, tmp_path: Path) -> None:
    rig.show()
    version = rig.view.live()["charts_version"]
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    summary = {**FOUND, "schema": 1, "verdict": "the end", "warnings": [{"code": "c", "message": "m"}]}
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    for at, name in enumerate(("z.svg", "a.svg", "a.png")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    assert rig.view.charts() == (None, [])
    rig.run.facts["notes"] = [{"code": "n", "message": "in the summary too"}]
    assert rig.view.file("summary.json") is None
    rig.view.finish()
    live = rig.view.live()
    assert (live["state"], live["verdict"], live["charts_version"]) == (FINISHED, "the end", version + 1)
    assert live["warnings"] == summary["warnings"]
    assert rig.view.charts() == (tmp_path, ["z.svg", "a.svg"])  # in the order in which they were drawn
    assert rig.view.file("summary.json") == tmp_path / "summary.json"
    assert rig.view.file("samples.npz") is None


def test_without_a_summary_the_run_has_failed(rig: Rig) -> None:
    rig.show()
    rig.view.finish()
    assert rig.view.state == FAILED
    assert rig.view.live()["message"]


def test_a_new_run_begins_without_the_figures_of_the_last_one(rig: Rig) -> None:
    rig.show()
    rig.view.live()
    rig.view.refresh()
    rig.view.fail("the disk is full")
    assert not rig.view.is_active
    rig.show()
    live = rig.view.live()
    assert (live["state"], live["message"], live["policies"]) == (RUNNING, "", [])
    assert rig.view.is_active
