"""`loadgen probe` as a user runs it, without a URL: the whole audit of the embedded target, in a process of its own."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.support.audits import check_record
from tests.support.processes import loadgen_process


def test_the_embedded_target_is_audited_in_under_15_s_and_breaks_no_rule(tmp_path: Path) -> None:
    begun_s = time.monotonic()
    done = loadgen_process("probe", "--tls", "--json", "--strict", "--html", "audit.html", cwd=tmp_path)
    taken_s = time.monotonic() - begun_s
    assert (done.returncode, done.stderr) == (0, "")
    audit = json.loads(done.stdout)
    check_record(audit)
    assert taken_s < 15
    assert audit["end"] == "done"
    assert {one["verdict"] for one in audit["findings"].values()} <= {"ok", "note", "warning", "unknown"}
    # What the command started the target with.
    assert 2.9e9 < audit["findings"]["idle_timeout"]["values"]["timeout_ns"] < 3.2e9
    assert audit["findings"]["max_requests"]["values"]["closed_after"] == 100
    assert "data:image/svg+xml" in (tmp_path / "audit.html").read_text(encoding="utf-8")
