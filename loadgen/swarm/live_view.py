"""A run as people see it while it goes on and afterwards: the figures and charts of the web UI. Orders nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgen.measure.data.store import RunStore
from loadgen.measure.summary.run_gates import judge_gates, resolve_gates
from loadgen.model.exceptions import PlanError
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import Summary
from loadgen.model.warning_codes import WarningCode
from loadgen.swarm.live_page import shown_charts, shown_figures
from loadgen.swarm.run import LocustRun
from loadgen.swarm.run_exports import Offer, RunExports

# Computing figures may take this share of the time; to answer the pages takes a small one beside that.
_MAX_SHARE = 0.015
# Someone who asked at most this long ago still looks.
_LOOKS_FOR_S = 15.0
_NEVER_S = -1e9

IDLE, RUNNING, FINISHING, FINISHED, FAILED = "idle", "running", "finishing", "finished", "failed"
_OVER = (FINISHED, FAILED)  # a failed run too leaves whatever could be made of it


class LiveView:
    """Shows `run`, once there is one. `refresh` brings the figures up to date, if people look at them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = IDLE
        self.message = ""
        """Why the run failed, or why there is none."""
        self.users = 0
        self.run: LocustRun | None = None
        self._clock = clock
        self._exports = RunExports()
        self._summary: Summary | None = None
        self._asked_s = _NEVER_S
        """When the web UI last asked, by the clock."""
        self._next_summary_s = _NEVER_S
        self._charts_version = 0
        self._plots_version = 0
        self._figures = shown_figures(None)
        self._plots = shown_charts(None)

    @property
    def is_active(self) -> bool:
        """A run goes on, or its results are being written."""
        return self.state in (RUNNING, FINISHING)

    def show(self, run: LocustRun) -> None:
        """A run begins."""
        self.close()
        self.run, self.state, self.message, self.users = run, RUNNING, "", 0
        self._next_summary_s = _NEVER_S
        self._take(None)

    def fail(self, message: str) -> None:
        """There will be no run, or the one there was has failed."""
        self.state, self.message = FAILED, message

    def finish(self) -> None:
        """The run's folder is complete: show what it says."""
        assert self.run is not None
        self._charts_version += 1
        self.state = FINISHED
        try:
            self._take(RunStore(self.run.directory).load_summary())
        except PlanError as error:
            self.fail(str(error))

    def refresh(self) -> None:
        """For a time in which no request is under way: compute what people look at."""
        now = self._clock()
        if self.run is None or now - self._asked_s > _LOOKS_FOR_S or now < self._next_summary_s:
            return
        self._take(_summary_so_far(self.run))
        done = self._clock()
        self._next_summary_s = done + (done - now) / _MAX_SHARE

    def close(self) -> None:
        """Nothing more is shown."""
        self._exports.close()

    # What the web UI asks for; see loadgen.swarm.web_pages.View

    def live(self) -> dict[str, Any]:
        self._asked_s = self._clock()
        run = self.run
        return {
            "state": self.state,
            "run": run and run.name,
            "directory": run and str(run.directory),
            "url": run and str(run.plan.target),
            "round": run.coordinator.round + 1 if run else 0,
            "blocks": run.live.blocks if run else 0,
            "users": self.users,
            "message": self.message,
            "warnings": self._warnings(),
            "charts_version": self._charts_version,
            "plots_version": self._plots_version,
            "exports": self._offers(),
            **self._figures,
        }

    def plots(self) -> dict[str, Any]:
        return self._plots

    def charts(self) -> tuple[Path | None, list[str]]:
        if self.run is None or self.state not in _OVER:
            return None, []
        folder = self.run.directory
        drawn = sorted(folder.glob("*.svg"), key=lambda path: path.stat().st_mtime_ns)
        return folder, [path.name for path in drawn]

    def export(self, name: str) -> Path | None:
        """Of the summary so far nothing is computed here; a file is made of what is shown."""
        if self.run is None or self._summary is None or name not in {one["name"] for one in self._offers()}:
            return None
        if self.state in _OVER:
            return self._exports.of_folder(self.run.directory, name)
        return self._exports.of_summary(self._summary, name)

    def file(self, name: str) -> Path | None:
        if self.run is None or self.state not in _OVER:
            return None
        path = self.run.directory / name
        return path if path.is_file() and not path.is_symlink() else None

    # Inside

    def _take(self, summary: Summary | None) -> None:
        """Show these figures from now on. What pages ask for again and again is made of them once."""
        self._summary = summary
        self._figures, self._plots = shown_figures(summary), shown_charts(summary)
        self._plots_version += 1

    def _offers(self) -> list[Offer]:
        return [] if self._summary is None else self._exports.offers(with_samples=self.state in _OVER)

    def _warnings(self) -> list[RunWarning]:
        """Those of the run so far, and those that the last figures called for."""
        known: list[RunWarning] = self._summary["warnings"] if self._summary else []
        if self._summary and self.state in _OVER:
            return known
        notes: list[RunWarning] = self.run.facts["notes"] if self.run is not None else []
        noted = {one["code"] for one in notes}
        return [*notes, *(one for one in known if one["code"] not in noted)]


def _summary_so_far(run: LocustRun) -> Summary | None:
    """The summary of the rounds so far."""
    plan = replace(run.plan, load=replace(run.plan.load, rounds=run.coordinator.round + 1))
    summary = run.live.summary(run.name, plan.to_json(secrets=False), run.facts["environment"], run.facts["notes"])
    if summary is not None:  # percentiles and means are of all requests here; only charts and intervals are of a share
        summary["warnings"] = [one for one in summary["warnings"] if one["code"] != WarningCode.SAMPLES_THINNED]
        if gates := resolve_gates(run.plan):
            summary["gates"] = judge_gates(gates, summary)
    return summary
