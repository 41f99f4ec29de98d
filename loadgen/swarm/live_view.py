"""A run as people see it while it goes on and afterwards: the figures and charts of the web UI. Orders nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgen import COMMAND
from loadgen.measure.data.store import SUMMARY_FILE, RunStore
from loadgen.model.exceptions import PlanError
from loadgen.model.records import Phase
from loadgen.swarm.run import Run

# Figures may take this share of the time, charts one in so many seconds, and only while somebody looks.
_SHARE = 0.05
_DRAWN_EVERY_S = 10.0
_LOOKS_FOR_S = 15.0

logger = logging.getLogger(__name__)
IDLE, RUNNING, FINISHING, FINISHED, FAILED = "idle", "running", "finishing", "finished", "failed"
_OVER = (FINISHED, FAILED)  # of a run that failed too everything is left that could be


class LiveView:
    """Shows `run`, once there is one. Between blocks `refresh` brings figures and charts up to date."""

    def __init__(self) -> None:
        self.state = IDLE
        self.message = ""
        self.users = 0
        self.run: Run | None = None
        self._summary: dict[str, Any] | None = None
        self._looked_s = self._looked_at_charts_s = self._drawn_s = -1e9
        self._next_s = 0.0
        self._version = 0
        self._drawing: tuple[subprocess.Popen[bytes], Path] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._pictures: Path | None = None

    def show(self, run: Run) -> None:
        """A run begins."""
        self.close()
        self.run, self.state, self.message, self.users = run, RUNNING, "", 0
        self._summary, self._next_s, self._drawn_s = None, 0.0, -1e9

    def refuse(self, message: str) -> None:
        """There will be no run, or the one there was has failed."""
        self.state, self.message = FAILED, message

    def finished(self) -> None:
        """The run's folder is complete: show what it says."""
        assert self.run is not None
        self._version += 1
        self.state = FINISHED
        try:
            self._summary = RunStore(self.run.directory).load_summary()
        except PlanError as error:
            self.refuse(str(error))

    def refresh(self) -> None:
        """Nobody sends anything now: compute what somebody looks at."""
        now = time.monotonic()
        if self.run is None or now - self._looked_s > _LOOKS_FOR_S or now < self._next_s:
            return
        self._summary = _so_far(self.run)
        done = time.monotonic()
        self._next_s = done + (done - now) / _SHARE
        if self._summary is not None and now - self._looked_at_charts_s < _LOOKS_FOR_S:
            self._draw(self._summary, now)

    def close(self) -> None:
        """Nothing more is shown: what was drawn goes."""
        self._settle_drawing(wait=True)
        self._pictures = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    # What the web UI asks for

    def live(self) -> dict[str, Any]:
        """See loadgen.swarm.web.View."""
        self._looked_s = time.monotonic()
        self._settle_drawing(wait=False)
        run, summary = self.run, self._summary
        return {
            "state": self.state,
            "run": run and run.name,
            "directory": run and str(run.directory),
            "url": run and str(run.plan.target),
            "round": run.conductor.round + 1 if run else 0,
            "blocks": run.live.blocks if run else 0,
            "users": self.users,
            "message": self.message,
            "verdict": summary["verdict"] if summary else "",
            "warnings": self._warnings(),
            "charts_version": self._version,
            "policies": [_policy(name, one) for name, one in summary["policies"].items()] if summary else [],
        }

    def charts(self) -> tuple[Path | None, list[str]]:
        """See loadgen.swarm.web.View."""
        self._looked_at_charts_s = self._looked_s = time.monotonic()
        folder = self.run.directory if self.run is not None and self.state in _OVER else self._pictures
        if folder is None:
            return None, []
        drawn = sorted(folder.glob("*.svg"), key=lambda path: path.stat().st_mtime_ns)
        return folder, [path.name for path in drawn]

    def file(self, name: str) -> Path | None:
        """See loadgen.swarm.web.View."""
        if self.run is None or self.state not in _OVER:
            return None
        path = self.run.directory / name
        return path if path.is_file() else None

    # Inside

    def _warnings(self) -> list[dict[str, str]]:
        """What has been noted until now, and what the figures called for when they were computed."""
        known: list[dict[str, str]] = self._summary["warnings"] if self._summary else []
        if self._summary and self.state in _OVER:
            return known
        notes: list[dict[str, str]] = self.run.facts["notes"] if self.run is not None else []
        noted = {one["code"] for one in notes}
        return [*notes, *(one for one in known if one["code"] not in noted)]

    def _draw(self, summary: dict[str, Any], now: float) -> None:
        """Let a process of its own draw the charts: niced, but not so that a busy machine never draws them."""
        if self._drawing is not None or now - self._drawn_s < _DRAWN_EVERY_S:
            return
        self._drawn_s = now
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="loadgen-charts-")
            # Each time in a place of its own: a page that is being shown keeps its pictures.
            directory = Path(tempfile.mkdtemp(dir=self._folder.name))
            (directory / SUMMARY_FILE).write_text(json.dumps(summary), encoding="utf-8")
            command = ["nice", "-n", "10", *COMMAND, "_draw", str(directory)]
            self._drawing = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL), directory
        except OSError as error:
            logger.warning("loadgen: charts can't be drawn: %s", error)

    def _settle_drawing(self, *, wait: bool) -> None:
        if self._drawing is None:
            return
        drawing, directory = self._drawing
        if wait:
            drawing.terminate()
            drawing.wait()
        elif drawing.poll() is None:
            return
        self._drawing = None
        if drawing.returncode == 0:
            self._version += 1
            self._pictures = directory


def _so_far(run: Run) -> dict[str, Any] | None:
    """The summary of the rounds so far."""
    plan = replace(run.plan, load=replace(run.plan.load, rounds=run.conductor.round + 1))
    summary = run.live.summary(run.name, plan.to_json(secrets=False), run.facts["environment"], run.facts["notes"])
    if summary is not None:  # percentiles and means are of all requests here; only charts and intervals are of a share
        summary["warnings"] = [one for one in summary["warnings"] if one["code"] != "samples_thinned"]
    return summary


def _policy(name: str, one: dict[str, Any]) -> dict[str, Any]:
    connections, latency = one["connections"], one["latency_ns"]
    return {
        "name": name,
        "requests": one["requests"],
        "throughput_rps": one["throughput_rps"],
        "p50_ns": latency["p50"],
        "p99_ns": latency["p99"],
        "phases_ns": {phase.value: one["phases_ns"][phase.value]["mean"] for phase in Phase},
        "opened": connections["opened"],
        "ideal": connections["ideal"],
        "reuse_ratio": connections["reuse_ratio"],
        "errors": one["errors"],
    }
