"""`loadgen sweep` end to end: the grid, an interruption, and going on after it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.cli.commands import sweep
from loadgen.measure.data.store import RunStore
from loadgen.target.account import add_accounts
from tests.support.plans import URL, planned
from tests.support.processes import loadgen, wait_until
from tests.support.runs import SHORT, Start, begin_sweep, check_account


def summary_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
    return found


def blocks_of(folder: Path, summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The run's blocks with all that is kept of them."""
    return RunStore.open(folder / "run").load_samples(tuple(summary["policies"])).blocks


def resumed(summary: dict[str, Any]) -> list[dict[str, str]]:
    return [warning for warning in summary["warnings"] if warning["code"] == "resumed"]


def check_whole(folder: Path, summary: dict[str, Any], cells: int) -> None:
    check_account(summary)
    blocks = blocks_of(folder, summary)
    assert [block["index"] for block in blocks] == list(range(2 * cells))
    assert all(block["whole"] for block in blocks)
    assert len(summary["policies"]) == cells
    assert not {"interrupted", "died"} & {warning["code"] for warning in summary["warnings"]}


@pytest.mark.usefixtures("no_drawing")
def test_a_grid_on_the_embedded_target(tmp_path: Path) -> None:
    done = loadgen("sweep", "--recycle", "1,2,inf", *SHORT, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr == "loadgen: 3 cells × 2 rounds = 6 blocks of 150ms: about 1 s and a few seconds for the report\n"
    )
    summary = summary_of(tmp_path)
    check_whole(tmp_path, summary, 3)
    counts = {name: one["connections"] for name, one in summary["policies"].items()}
    assert list(counts) == ["recycle:1", "recycle:2", "recycle:inf"]
    assert counts["recycle:inf"]["opened"] == 4
    assert counts["recycle:1"]["requests_per_connection"] == 1.0
    account = summary["environment"]["embedded_target"]
    assert account["accepted"] == sum(one["opened"] for one in counts.values())


def test_sizes_reach_the_target(tmp_path: Path) -> None:
    arguments = ["--size", "7,9000", "--policies", "persistent", "--json", "--no-charts"]
    done = loadgen("sweep", *arguments, *SHORT, "--out", "run", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(json.loads(done.stdout)["policies"]) == ["persistent · 7 B", "persistent · 9,000 B"]
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        received = [samples["bytes_received"][samples["policy"] == index] for index in (0, 1)]
    assert received[0].max() < 1_000
    assert received[1].min() > 9_000


def test_an_interrupted_sweep_goes_on(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    process = begin_sweep(tmp_path, target.url, "--recycle", "1,2,inf", "--quiet")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "loadgen: go on with: loadgen sweep --resume run"
    first = summary_of(tmp_path)
    measured = blocks_of(tmp_path, first)
    assert "interrupted" in {warning["code"] for warning in first["warnings"]}

    done = loadgen("sweep", "--resume", "run", "--no-charts", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "of 6 blocks are done" in done.stderr
    second = summary_of(tmp_path)
    check_whole(tmp_path, second, 3)
    assert [note["message"][:37] for note in resumed(second)] == ["the run was measured in 2 segments; b"]
    kept = [block for block in measured if block.get("whole")]
    assert 2 <= len(kept) < 6
    begun = {block["index"]: block["window_begun_ns"] for block in blocks_of(tmp_path, second)}
    assert {block["index"]: block["window_begun_ns"] for block in kept}.items() <= begun.items()
    # What was cut short was measured again and is counted once.
    opened = sum(one["connections"]["opened"] for one in second["policies"].values())
    assert opened <= target.stats()["accepted"]
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        cells = {(cell, number) for cell, number in zip(samples["policy"], samples["connection"], strict=True)}
    assert len(cells) == len({number for _, number in cells})  # no number stands for connections of two blocks

    again = loadgen("sweep", "--resume", "run", "--json", "--no-charts", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert json.loads(again.stdout) == second


def test_a_killed_sweep_goes_on_with_a_new_embedded_target(tmp_path: Path) -> None:
    process = begin_sweep(tmp_path, "--recycle", "1,2,inf", "--tls")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    wait_until(lambda: not any(_runs(int(child)) for child in children))  # both notice, and end by themselves
    assert not (tmp_path / "run" / "summary.json").exists()
    url = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["plan"]["url"]
    done = loadgen("sweep", "--resume", "run", "--quiet", "--no-charts", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    summary = summary_of(tmp_path)
    check_whole(tmp_path, summary, 3)
    assert summary["plan"]["url"] != url
    assert summary["environment"]["embedded_target"] is None  # one part's account is lost
    assert not (tmp_path / "run" / "target-ca.pem").exists()
    other = loadgen("sweep", "--resume", "run", "--server-pid", str(os.getpid()), cwd=tmp_path)
    assert other.returncode == 2
    assert "watched automatically" in other.stderr


def test_a_folder_is_held_until_the_worker_has_ended(tmp_path: Path) -> None:
    process = begin_sweep(tmp_path, "--recycle", "1,2,inf")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    (worker,) = (int(child) for child in children if b"_worker" in Path(f"/proc/{child}/cmdline").read_bytes())
    os.kill(worker, signal.SIGSTOP)
    try:
        held = [loadgen(*command, cwd=tmp_path) for command in (["report", "run"], ["sweep", "--resume", "run"])]
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        held.append(loadgen("sweep", "--resume", "run", cwd=tmp_path))
    finally:
        os.kill(worker, signal.SIGCONT)
    process.communicate(timeout=60)
    for one in held:
        assert one.returncode == 2
        assert one.stderr == "loadgen: run is in use by another loadgen; wait until that has ended\n"


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_target_that_is_gone_costs_nothing_measured(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    secret = ["-H", "Authorization: sesame"]
    process = begin_sweep(tmp_path, target.url, "--recycle", "1,2,inf", "--json", *secret)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    refused = loadgen("sweep", "--resume", "run", cwd=tmp_path)
    assert refused.returncode == 2
    assert "give it again with -H 'Authorization" in refused.stderr
    facts = tmp_path / "run" / "run.json"
    there = facts.read_text(encoding="utf-8")
    facts.write_text(there.replace(f":{target.port}/", ":1/"), encoding="utf-8")
    gone = loadgen("sweep", "--resume", "run", *secret, cwd=tmp_path)
    assert gone.returncode == 3, gone.stderr
    assert "connect refused" in gone.stderr
    # Nothing was measured by that: the run is as it was.
    assert [note["code"] for note in json.loads(facts.read_text(encoding="utf-8"))["notes"]] == ["interrupted"]
    facts.write_text(facts.read_text(encoding="utf-8").replace(":1/", f":{target.port}/"), encoding="utf-8")
    done = loadgen("sweep", "--resume", "run", *secret, "--json", "--no-charts", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    check_whole(tmp_path, json.loads(done.stdout), 3)
    assert ["in 2 segments" in note["message"] for note in resumed(json.loads(done.stdout))] == [True]
    assert not any(b"sesame" in path.read_bytes() for path in (tmp_path / "run").iterdir())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--resume", "run", "--users", "3"], "--users can't be given with it"),
        (["--resume", "run", "http://127.0.0.1/"], "a URL can only give the run's own again"),
        (["--resume", "run", "-H", "X: y"], "'x' can't be added"),
        (["--resume", "run", "--server-pid", str(os.getpid())], "no --server-pid"),
        (["--resume", "nowhere"], "holds no run"),
        (["--resume", "nowhere", "--users", "3"], "nowhere holds no run"),
        (["--resume", ""], "'--resume': it is empty"),
        (["--resume", "empty"], "can't be read"),
        (["--resume", "part"], "part holds no whole run: plan is missing"),
        (["--resume", "edited"], 'edited: plan.users is "many"; it must be a whole number'),
        (["http://127.0.0.1/"], "nothing is varied"),
        (["--recycle", "1,2", "--dry-run", "--json"], "give one of them"),
    ],
)
def test_usage(tmp_path: Path, arguments: list[str], text: str) -> None:
    edited = _facts().replace('"users": 10', '"users": "many"')
    for name, content in (("run", _facts()), ("empty", ""), ("part", '{"name": "part"}'), ("edited", edited)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(content, encoding="utf-8")
    done = loadgen("sweep", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _facts() -> str:
    plan = planned(sweep, URL, "--recycle", "1,2").to_json(secrets=False)
    return json.dumps({"name": "run", "plan": plan, "environment": {}, "notes": []})


def test_accounts_of_two_targets_add_up() -> None:
    one = {"accepted": 2, "requests_per_connection": {"1": 2}, "name": "a"}
    other = {"accepted": 3, "requests_per_connection": {"1": 1, "5": 4}, "name": "b"}
    assert add_accounts(one, other) == {"accepted": 5, "requests_per_connection": {"1": 3, "5": 4}, "name": "b"}
    assert add_accounts(None, other) is None
