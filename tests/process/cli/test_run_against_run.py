"""A run with a baseline: refused before anything is sent where it is unlike, else compared at its end."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.runner import run_cli
from tests.support.summary_schema import check_diff

SHORT = ("--users", "2", "--think", "2ms", "--rounds", "2", "--block", "200ms", "--warmup", "40ms", "--no-charts")


def test_a_run_and_the_same_again(tmp_path: Path) -> None:
    assert run_cli("compare", *SHORT, "--out", "old", "--quiet", cwd=tmp_path).code == 0
    again = ("compare", "--plan", "old", "--baseline", "old", "--out", "new", "--no-charts")
    code, stdout, stderr = run_cli(*again, "--users", "3", cwd=tmp_path)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert "old and this run are unlike: users 2 before, 3 now" in stderr
    assert not (tmp_path / "new").exists()
    code, stdout, stderr = run_cli(*again, cwd=tmp_path)
    assert (code, stderr) == (0, "")
    assert "new compared with old" in stdout
    assert "close / persistent: mean latency " in stdout
    diff = json.loads((tmp_path / "new" / "diff.json").read_text(encoding="utf-8"))
    check_diff(diff)
    assert diff["unlike"] == []
    assert diff["machine"] is not None
    assert diff["policies"]["close"]["reuse_ratio"]["new"] == 0
