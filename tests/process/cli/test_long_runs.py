"""`--max-samples`: a run longer than that keeps a share of its rows, while it goes on too, and counts all of them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from loadgen.measure.data.recorder import EXCHANGES_FILE, ROLLUP_FILE, RUN_FILE
from tests.support.processes import compare, loadgen, wait_until
from tests.support.runs import Start, check_account

POLICIES = ("--policies", "persistent,close,recycle:10")
MAX_SAMPLES = 3_000
PART_BYTES = 2 << 20
"""More than a part of so short a run has."""


@pytest.mark.parametrize("processes", [1, 2])
def test_all_requests_are_counted_and_some_rows_kept(share_target: Start, tmp_path: Path, processes: int) -> None:
    target = share_target()
    more = ("--users", "4", "--block", "250ms", "--processes", str(processes), "--max-samples", str(MAX_SAMPLES))
    summary = compare(target.url, tmp_path / "run", *POLICIES, *more, "--think", "0s")
    check_account(summary)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {RUN_FILE, "summary.json", "samples.npz"}
    account, connections = target.stats(), [one["connections"] for one in summary["policies"].values()]
    assert account["accepted"] == sum(one["opened"] for one in connections)
    assert account["requests"] == sum(one["exchanges_with_warmup"] for one in connections)
    assert "samples_thinned" in {warning["code"] for warning in summary["warnings"]}
    assert (tmp_path / "run/samples.npz").stat().st_size < 2_000_000
    done = loadgen("report", str(tmp_path / "run"), "--json")
    again = json.loads(done.stdout)
    assert again["policies"] == summary["policies"]
    assert again["comparisons"] == summary["comparisons"]


@pytest.mark.parametrize("policy", ["persistent", "recycle:10"])
def test_a_killed_run_loses_nothing_of_a_block_that_was_taken_in_already(
    share_target: Start, tmp_path: Path, policy: str
) -> None:
    target, folder, users = share_target(), tmp_path / "run", 3
    command = [
        sys.executable, "-m", "loadgen", "compare", target.url, "--policies", policy, "--users", str(users), "--block",
        "90s", "--warmup", "20ms", "--max-samples", str(MAX_SAMPLES), "--out", str(folder), "--quiet",
    ]  # fmt: skip
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: (folder / ROLLUP_FILE).exists(), process)
            (pid,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        finally:
            process.send_signal(signal.SIGKILL)
    worker = os.pidfd_open(int(pid))
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(worker, signal.SIGKILL)
    select.select([worker], [], [])  # it is gone, and so is its lock
    os.close(worker)
    wait_until(lambda: target.stats()["open"] == 0)
    assert sum(path.stat().st_size for path in folder.glob(f"{EXCHANGES_FILE}*")) < 12 * PART_BYTES
    done = loadgen("report", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    (one,) = summary["policies"].values()
    assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
    account, connections = target.stats(), one["connections"]
    assert one["requests"] > 20_000
    assert 0 <= account["requests"] - connections["exchanges_with_warmup"] <= users
    assert 0 <= account["accepted"] - connections["opened"] <= users
    assert not (folder / ROLLUP_FILE).exists()
