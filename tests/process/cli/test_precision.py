"""`compare --until-precision`: it goes on until the ratio is known or time is over, and nothing is lost at its end."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from loadgen.measure.data.store import RunStore
from tests.support.processes import loadgen
from tests.support.runner import run_cli
from tests.support.running import codes, running
from tests.support.runs import Start, check_account
from tests.support.synthetic import summary_of

SHORT = ["--block", "100ms", "--warmup", "20ms", "--users", "4", "--think", "1ms", "--no-charts", "--json"]


def test_it_ends_once_the_ratio_is_known(share_target: Start, tmp_path: Path) -> None:
    target, run = share_target(), tmp_path / "run"
    precise = ["--until-precision", "60%", "--max-time", "20s", "--processes", "2"]
    done = loadgen("compare", target.url, "--out", str(run), *precise, *SHORT)
    assert done.returncode == 0
    assert all(line.startswith("loadgen: round ") for line in done.stderr.splitlines())  # of a slow machine
    summary = json.loads(done.stdout)
    check_account(summary)
    found = summary["precision"]
    assert found["is_reached"]
    assert found["half_width"] <= 0.6
    assert 5 <= found["rounds"] < found["max_rounds"] == 100
    assert len(summary["blocks"]) == 2 * found["rounds"]
    assert not {"interrupted", "precision_not_reached"} & codes(summary).keys()
    assert target.stats()["requests"] == sum(
        one["connections"]["exchanges_with_warmup"] for one in summary["policies"].values()
    )
    store = RunStore.open(run)
    assert summary_of(store, store.load_samples(("persistent", "close")))["verdict"] == summary["verdict"]
    planned = run_cli("compare", "--plan", str(run), "--dry-run")
    assert "2 policies × 5 to 100 rounds of blocks of 100ms in 2 processes, until each ratio is known" in planned.stdout


def test_it_ends_when_the_time_is_over(share_target: Start, tmp_path: Path) -> None:
    run = tmp_path / "run"
    precise = ["--until-precision", "0.01%", "--max-time", "1500ms"]
    done = loadgen("compare", share_target().url, "--out", str(run), *precise, *SHORT)
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert (summary["precision"]["rounds"], summary["precision"]["is_reached"]) == (7, False)
    assert "precision_not_reached" in codes(summary)
    assert "--max-time was over after 7 rounds: the ratio is known within ±" in summary["verdict"]


def test_without_one_of_its_workers_it_goes_on(share_target: Start, tmp_path: Path) -> None:
    precise = ["--until-precision", "99%", "--max-time", "20s", *SHORT]
    with running(share_target(), tmp_path / "run", *precise) as run:
        run.await_block(1, "window_begun_ns", 3)
        os.kill(run.workers()[1], signal.SIGKILL)
        code, summary, _ = run.end()
    assert code == 0
    assert summary["precision"]["is_reached"]
    assert "worker_died" in codes(summary)
