"""A run repeated from its folder and from the plan file that it saved."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.processes import QUICK, loadgen


def test_a_run_is_run_again(tmp_path: Path) -> None:
    first = ["compare", "--tls", "--policies", "persistent,recycle:2", "--users", "2", "--seed", "3", "--source-ip"]
    shown = ["--json", "--no-charts"]
    done = loadgen(*first, "127.0.0.2", *QUICK, "--out", "one", "--save-plan", "p.toml", *shown, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    plans = [json.loads(done.stdout)["plan"]]
    for source in ("one", "p.toml"):
        again = loadgen("compare", "--plan", source, "--out", f"again-{source}", *shown, cwd=tmp_path)
        assert (again.returncode, again.stderr) == (0, "")
        plans.append(json.loads(again.stdout)["plan"])
    for plan in plans:
        assert plan.pop("server_pid") > 0
        assert plan.pop("url").startswith("https://127.0.0.1:")
    assert plans[0] == plans[1] == plans[2]
