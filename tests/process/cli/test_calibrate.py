"""`loadgen calibrate` for real, in its short form: what it leaves, and what a comparison makes of that."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loadgen.cli.packet_capture import why_not
from loadgen.measure.data.calibration_cache import calibration_path, load_calibration
from loadgen.measure.data.environment import environment
from loadgen.measure.data.machine_facts import identity_of
from tests.support.calibrations import calibration, use_cache
from tests.support.runner import run_cli
from tests.support.running import codes

pytestmark = pytest.mark.alone  # it measures time


def test_a_calibration_is_whole_saved_and_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_cache(monkeypatch, tmp_path / "cache")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    result = run_cli("calibrate", "--quick", "--json")
    assert (result.code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert load_calibration(identity_of(environment())) == (found, "")
    assert set(found["wake_up_ns"]) == {"timer", "ping"}
    assert set(found["phases_ns"]) == {"connect", "send", "wait", "receive", "tls_full", "tls_resumed"}
    phases = found["phases_ns"]
    assert phases["tls_full"]["p50"] > phases["tls_resumed"]["p50"] > phases["connect"]["p50"] > 0
    assert found["policies"].keys() >= {"http persistent", "http close", "https persistent", "https close-resume"}
    assert all(one["cpu_ns_per_request"] > 0 for one in found["policies"].values())
    assert found["policies"]["http persistent"]["rates_tried_rps"] > found["policies"]["http close"]["rates_tried_rps"]
    assert (found["packets"] is None) == bool(why_not()) == bool(found["packets_skipped"])
    if found["packets"]:
        assert found["packets"]["errors_ns"].keys() == {"connect", "tls", "send_wait"}
        assert found["packets"]["matched"] > 50
    assert found["error_ns"]["source"] == ("stamps" if why_not() else "packets")
    assert min(found["error_ns"][name] for name in ("tls", "send_wait")) > 0
    assert list(tmp_path.glob("loadgen-calibrate-*")) == [], "its runs are gone"


def test_a_comparison_uses_it_or_says_why_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that makes the floor 10 s: whatever is certain lies within it. Then the file is damaged."""
    record = calibration(send_wait_ns=10_000_000_000)
    use_cache(monkeypatch, tmp_path / "cache", record)
    load = (
        "--tls",
        "--users",
        "1",
        "--block",
        "80ms",
        "--no-charts",
        "--json",
    )  # a difference that noise does not hide
    code, out, errors = run_cli("compare", "--out", "run", *load, cwd=tmp_path)
    assert (code, errors) == (0, "")
    summary = json.loads(out)
    assert summary["environment"]["calibration"] == record
    assert "this difference is within the floor of this machine (10.0 s)" in summary["verdict"]
    assert "within_floor" in codes(summary)
    path = calibration_path(record["machine"])
    path.unlink()
    again = json.loads(run_cli("report", "run", "--json", cwd=tmp_path).stdout)
    assert (again["verdict"], again["environment"]) == (summary["verdict"], summary["environment"])
    path.write_text("{", encoding="ascii")
    code, out, errors = run_cli("compare", "--out", "other", "--rounds", "1", *load, cwd=tmp_path)
    assert "calibration" not in json.loads(out)["environment"]
    assert (code, errors.count("\n")) == (0, 1)
    assert f"the calibration {path} is not used" in errors


def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/sbin"}
    command = [sys.executable, "-m", "loadgen", "calibrate"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    started: list[str] = []
    while len(started) < 2:  # the null target and a worker
        assert process.poll() is None
        started = children.read_text(encoding="ascii").split()
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)  # the children hold no pipe of ours longer than they live
    assert (process.returncode, out, said) == (130, "", "loadgen: interrupted\n")
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
    assert not list(tmp_path.glob("loadgen-calibrate-*"))
    assert not list(tmp_path.glob("cache/loadgen/*"))
