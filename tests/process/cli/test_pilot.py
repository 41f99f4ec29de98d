"""A run without a load: a pilot chooses one, the run uses it, and the target's account agrees with the run alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import loadgen, wait_until
from tests.support.targets import Target

SHORT = ("--rounds", "1", "--block", "300ms", "--warmup", "50ms", "--no-charts", "--seed", "1")
Start = Callable[..., Target]


def test_a_pilot_chooses_the_load_and_leaves_no_trace_in_the_figures(tmp_path: Path) -> None:
    done = loadgen("compare", *SHORT, "--save-plan", "plan.toml", "--json", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    pilot, plan = summary["pilot"], summary["plan"]
    assert f"pilot: {pilot['users']} user" in done.stderr
    assert (plan["users"], plan["think_ns"]) == (pilot["users"], pilot["think_ns"])
    assert len(pilot["trials"]) >= 2
    counted = summary["environment"]["embedded_target"]
    opened = sum(one["connections"]["opened"] for one in summary["policies"].values())
    answered = sum(block["exchanges"] for block in summary["blocks"])
    assert (counted["accepted"], counted["requests"]) == (opened, answered)
    saved = tomllib.loads((tmp_path / "plan.toml").read_text(encoding="utf-8"))
    assert {"users", "think", "rate"}.isdisjoint(saved)
    # The run as a plan has the load, so that it runs again as it stands.
    again = loadgen("compare", "--plan", "run", "--dry-run", cwd=tmp_path)
    assert "pilot" not in again.stdout


def test_a_target_that_is_not_there_is_waited_for_once_and_leaves_nothing(closed_port: int, tmp_path: Path) -> None:
    begun_s = time.monotonic()
    done = loadgen("compare", f"http://127.0.0.1:{closed_port}/", *SHORT, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "no one listens at this" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.json"))
    assert time.monotonic() - begun_s < 10, "the first request is tried for 1.5 s"


def test_ctrl_c_in_a_pilot_ends_the_command_and_leaves_nothing(start_target: Start, tmp_path: Path) -> None:
    target = start_target("--delay", "5s")
    command = [sys.executable, "-m", "loadgen", "compare", target.url, *SHORT, "--out", "run"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: target.stats()["accepted"] > 0, process)  # the pilot's first request is under way
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
