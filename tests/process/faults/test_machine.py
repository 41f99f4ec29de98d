"""What a machine does to a run: it stops processes for a while, and runs out of descriptors and memory."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import pytest

from tests.support.processes import loadgen
from tests.support.running import Run, codes, running
from tests.support.runs import Start, check_account
from tests.support.targets import Targets

ONE = ("--policies", "persistent", "--processes", "1", "--rounds", "1", "--warmup", "0s")
STOPPED_S = 0.5


def stop_for_a_while(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    os.kill(pid, signal.SIGCONT)


def worker_of(run: Run) -> int:
    """The only worker, once its block has begun."""
    path = run.folder / "blocks.jsonl"
    while not (path.exists() and "window_begun_ns" in path.read_text(encoding="utf-8")):
        assert run.process.poll() is None
        time.sleep(0.01)
    pid = run.process.pid
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return int(child)


@pytest.mark.parametrize("timeout", ["200ms", "5s"])
def test_a_target_that_is_stopped_is_slow_or_silent(tmp_path: Path, timeout: str) -> None:
    targets = Targets(tmp_path)
    try:
        target = targets.start()
        with running(target, tmp_path / "run", *ONE, "--block", "1s", "--timeout", timeout) as run:
            worker_of(run)
            stop_for_a_while(targets.pids[0])
            code, summary, _ = run.end()
    finally:
        targets.close()
    check_account(summary)
    one = summary["policies"]["persistent"]
    assert code == 0
    assert "generator_stalled" not in codes(summary)
    if timeout == "5s":
        assert one["errors"] == {}
        assert one["latency_ns"]["max"] > 0.9 * STOPPED_S * 1e9
    else:
        assert one["errors"].keys() == {"response_timeout"}
        assert one["errors"]["response_timeout"] >= 4


@pytest.mark.alone
def test_a_worker_that_is_stopped_blames_no_target(share_target: Start, tmp_path: Path) -> None:
    """Its requests were answered meanwhile, within the time allowed for them: no timeout, and a warning."""
    with running(share_target(), tmp_path / "run", *ONE, "--block", "1s", "--timeout", "200ms") as run:
        stop_for_a_while(worker_of(run))
        code, summary, _ = run.end()
    check_account(summary)
    one = summary["policies"]["persistent"]
    assert (code, one["errors"]) == (0, {})
    assert one["generator"]["stalled_ns"] > 0.8 * STOPPED_S * 1e9
    assert "the generator did not run for up to " in codes(summary)["generator_stalled"]


def test_a_command_that_is_stopped_holds_up_nothing(share_target: Start, tmp_path: Path) -> None:
    with running(share_target(), tmp_path / "run", *ONE, "--block", "1s") as run:
        worker_of(run)
        stop_for_a_while(run.process.pid)
        code, summary, _ = run.end()
    check_account(summary)
    assert code == 0
    assert "generator_stalled" not in codes(summary)


def test_descriptors_that_run_out_are_errors_of_ours(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    load = ("--policies", "close", "--processes", "1", "--rounds", "1", "--warmup", "0s", "--block", "1500ms")
    with running(target, tmp_path / "run", *load) as run:
        pid = worker_of(run)
        least = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 # names are enough
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (least - 2, hard))
        time.sleep(0.3)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        code, summary, _ = run.end()
    check_account(summary)
    one = summary["policies"]["close"]
    assert code == 0
    assert one["errors"].keys() == {"no_file_descriptor"}
    assert target.stats()["accepted"] == one["connections"]["opened"]
    assert "no_file_descriptor" in codes(summary)["errors"]


def test_memory_that_runs_out_ends_a_worker_and_leaves_its_rows(share_target: Start, tmp_path: Path) -> None:
    load = ("--policies", "close", "--processes", "1", "--rounds", "1", "--warmup", "0s", "--block", "60s")
    with running(share_target(), tmp_path / "run", *load) as run:
        pid = worker_of(run)
        time.sleep(0.3)
        # Less than it has: the next piece of memory that it asks for is refused.
        resource.prlimit(pid, resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
        code, summary, _ = run.end()
    assert code == 130
    assert "died" in codes(summary)
    one = summary["policies"]["close"]
    assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
    assert one["requests"] > 0
    assert loadgen("report", str(tmp_path / "run"), "--json").returncode == 0
