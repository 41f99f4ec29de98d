"""What people see of a run: when figures are computed and charts drawn, and what is shown in each state."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.model.records import Phase
from loadgen.swarm import chart_drawer
from loadgen.swarm.chart_drawer import ChartDrawer
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


class FakeDrawer:
    """Draws nothing. started: the summaries that it was given."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.is_busy = False
        self.is_new = False
        self.directory: Path | None = None
        self.closed = 0

    def start(self, summary: dict[str, Any]) -> None:
        self.started.append(summary)

    def poll(self) -> bool:
        is_new, self.is_new = self.is_new, False
        return is_new

    def close(self) -> None:
        self.closed += 1


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
        self.drawer = FakeDrawer()
        self.view = LiveView(self.clock, self.drawer)  # type: ignore[arg-type] # as much of a drawer as is used
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


def test_charts_are_drawn_only_for_those_who_look_at_them_and_every_ten_seconds(rig: Rig) -> None:
    rig.run.takes_s = 0.03
    rig.show()
    rig.view.live()
    rig.refresh_after(0)
    assert rig.drawer.started == []
    rig.view.charts()
    rig.refresh_after(3)
    assert [one["verdict"] for one in rig.drawer.started] == ["so far"]
    for _ in range(3):
        rig.view.charts()
        rig.refresh_after(3)
    assert len(rig.drawer.started) == 1
    rig.view.charts()
    rig.drawer.is_busy = True
    rig.refresh_after(3)
    assert len(rig.drawer.started) == 1
    rig.drawer.is_busy = False
    rig.refresh_after(3)
    assert len(rig.drawer.started) == 2


def test_new_charts_are_listed_in_the_order_in_which_they_were_drawn(rig: Rig, tmp_path: Path) -> None:
    rig.show()
    version = rig.view.live()["charts_version"]
    rig.drawer.directory = tmp_path / "drawn"
    rig.drawer.directory.mkdir()
    for name in ("z.svg", "a.svg", "summary.json"):
        (rig.drawer.directory / name).touch()
    for at, name in enumerate(("z.svg", "a.svg")):
        os.utime(rig.drawer.directory / name, (at, at))
    rig.drawer.is_new = True
    assert rig.view.live()["charts_version"] == version + 1
    assert rig.view.live()["charts_version"] == version + 1
    assert rig.view.charts() == (rig.drawer.directory, ["z.svg", "a.svg"])


def test_after_the_end_the_folder_is_shown(rig: Rig, tmp_path: Path) -> None:
    rig.show()
    version = rig.view.live()["charts_version"]
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    summary = {**FOUND, "schema": 1, "verdict": "the end", "warnings": [{"code": "c", "message": "m"}]}
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (tmp_path / "phases.svg").touch()
    rig.run.facts["notes"] = [{"code": "n", "message": "in the summary too"}]
    assert rig.view.file("summary.json") is None
    rig.view.finish()
    live = rig.view.live()
    assert (live["state"], live["verdict"], live["charts_version"]) == (FINISHED, "the end", version + 1)
    assert live["warnings"] == summary["warnings"]
    assert rig.view.charts() == (tmp_path, ["phases.svg"])
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
    assert rig.drawer.closed == 2


# The drawer


class FakeChild:
    """A child process that ends when a test says so."""

    def __init__(self, command: list[str], **_: Any) -> None:
        self.command = command
        self.returncode: int | None = None
        self.calls: list[str] = []

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.calls.append("terminate")

    def wait(self) -> None:
        self.calls.append("wait")


def test_charts_are_drawn_in_a_child_process_each_time_in_a_new_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[FakeChild] = []

    def start(command: list[str], **options: Any) -> FakeChild:
        children.append(FakeChild(command, **options))
        return children[-1]

    monkeypatch.setattr(chart_drawer.subprocess, "Popen", start)
    drawer = ChartDrawer()
    drawer.start({"verdict": "so far"})
    first = Path(children[0].command[-1])
    assert children[0].command[:3] == ["nice", "-n", "10"]
    assert json.loads((first / "summary.json").read_text(encoding="utf-8")) == {"verdict": "so far"}
    assert (drawer.is_busy, drawer.poll(), drawer.directory) == (True, False, None)
    children[0].returncode = 0
    assert (drawer.poll(), drawer.is_busy, drawer.directory) == (True, False, first)
    assert not drawer.poll()

    drawer.start({})
    children[1].returncode = 1
    assert (drawer.poll(), drawer.directory) == (False, first)  # what failed is not shown

    drawer.start({})
    drawer.close()
    assert children[2].calls == ["terminate", "wait"]
    assert drawer.directory is None
    assert not first.exists()


def test_charts_that_can_not_be_drawn_are_said_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> subprocess.Popen[bytes]:
        raise OSError("no nice")

    monkeypatch.setattr(chart_drawer.subprocess, "Popen", fail)
    drawer = ChartDrawer()
    drawer.start({})
    assert "charts can't be drawn: no nice" in caplog.text
    assert not drawer.is_busy
    drawer.close()
