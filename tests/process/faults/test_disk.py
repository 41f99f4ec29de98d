"""The disk that a run is written to: full in the middle, read-only from the start or later."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import loadgen
from tests.support.runs import Start, check_account

LOADGEN = f"{sys.executable} -m loadgen"
LOAD = "--users 5 --block 60s --warmup 20ms --policies close --json --no-charts"


def on_tmpfs(folder: Path, script: str, size: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in `folder`, a file system of that size that only it sees; what it holds goes with it."""
    if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("only root can mount a small file system")
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={size} none {folder} && cd {folder}"
    return subprocess.run(
        ["unshare", "--mount", "/bin/bash", "-c", f"{mount} && {script}"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("processes", [1, 2])
def test_a_disk_that_gets_full_loses_no_request(share_target: Start, tmp_path: Path, processes: int) -> None:
    target = share_target()
    compare = f"{LOADGEN} compare {target.url} {LOAD} --processes {processes} --out run"
    report = f"{LOADGEN} report run --json > {tmp_path}/again.json"
    done = on_tmpfs(
        tmp_path / "disk", f"{compare} > {tmp_path}/first.json; echo $?; {report}; echo $?", f"{6 * processes}m"
    )
    assert done.stdout.split() == ["130", "0"], done.stderr
    assert "Traceback" not in done.stderr
    assert "loadgen: the disk was full, so the run ended; this is what had been measured\n" in done.stderr
    summary, again = (_summary(tmp_path / name) for name in ("first.json", "again.json"))
    assert [one["code"] for one in summary["warnings"] if "disk" in one["code"]] == ["disk_full"]
    check_account(summary)
    assert again["policies"] == summary["policies"]
    one = summary["policies"]["close"]
    account = target.stats()
    # What was under way when the run ended may have come to the server without a sign of that here.
    opened = one["connections"]["opened"]
    assert opened == sum(one["connections"]["endings"].values()) <= account["accepted"] <= opened + 5
    exchanges = one["connections"]["exchanges_with_warmup"]
    assert 2_000 < exchanges <= account["requests"] <= exchanges + 5
    assert one["lost"] is None


def _summary(path: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return summary


def test_a_folder_that_can_not_be_written_is_told_before_any_load(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    done = on_tmpfs(
        tmp_path / "disk", f"mount -o remount,ro none . && {LOADGEN} compare {target.url} --out run; echo $?", "4m"
    )
    assert done.stdout.split() == ["2"]
    assert done.stderr == "loadgen: can't write to run: Read-only file system\n"
    assert target.stats()["accepted"] == 0


def test_a_report_on_a_read_only_disk_is_shown_and_saves_nothing(tmp_path: Path) -> None:
    load = ("--users", "1", "--rounds", "1", "--block", "60ms")
    done = loadgen("compare", "--out", "run", *load, "--json", "--no-charts", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    script = f"cp -r {tmp_path}/run . && mount -o remount,ro none . && {LOADGEN} report run --json; echo $?"
    again = on_tmpfs(tmp_path / "disk", script, "40m")
    assert again.stderr == "loadgen: not everything could be saved in run: Read-only file system\n"
    shown, _, code = again.stdout.rstrip().rpartition("\n")
    assert code == "0"
    assert json.loads(shown)["policies"] == json.loads(done.stdout)["policies"]


def test_a_full_disk_for_a_report_leaves_the_old_files(tmp_path: Path) -> None:
    done = loadgen(
        "compare", "--out", "run", "--users", "1", "--rounds", "1", "--block", "60ms", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    script = f"cp -r {tmp_path}/run . && dd if=/dev/zero of=rest bs=4k 2>/dev/null; {LOADGEN} report run; echo $?; "
    script += f"cp -r run {tmp_path}/after"
    size = sum(len(content) for content in before.values()) // 1024 + 100
    done = on_tmpfs(tmp_path / "disk", script, f"{size}k")
    assert "not everything could be saved in run: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "after").iterdir()} == before


def test_matplotlib_says_nothing_of_a_home_that_can_not_be_written(caplog: pytest.LogCaptureFixture) -> None:
    """It keeps a cache there, works without, and complains in several lines."""
    logging.getLogger("matplotlib").setLevel(logging.NOTSET)
    assert loadgen("--version").returncode == 0
    logging.getLogger("matplotlib.font_manager").warning("a temporary cache directory")
    assert not caplog.records
