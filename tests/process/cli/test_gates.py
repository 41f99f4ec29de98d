"""Gates on a real run: the value that a gate has is what the server counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.runner import run_cli
from tests.support.targets import Target

SHORT = ("--users", "2", "--rounds", "2", "--block", "150ms", "--warmup", "30ms", "--no-charts", "--quiet")


def test_gates_of_a_plan_file_on_a_server_that_closes(start_target: Callable[..., Target], tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('fail-if = ["closed_by.server > 0", "statuses.5xx > 0"]\nmax-errors = "1%"\n', encoding="utf-8")
    target = start_target("--close-after", "5")
    done = run_cli("compare", target.url, *SHORT, "--plan", str(plan), "--policies", "persistent", cwd=tmp_path)
    (run,) = (tmp_path / "results").iterdir()
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    closed = summary["policies"]["persistent"]["connections"]["closed_by"]["server"]
    assert 0 < closed <= target.stats()["accepted"]
    assert done.code == 1
    assert done.stderr == f"loadgen: gate failed: closed_by.server > 0: persistent: {closed:,}\n"
    assert [gate["passed"] for gate in summary["gates"]] == [True, False, True]
    assert summary["plan"]["fail_if"] == ["closed_by.server > 0", "statuses.5xx > 0"]
