"""`loadgen compare --processes N`: one load made by several, counted once, even if some die, stop or never begin."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.cli.commands import compare as compare_command
from loadgen.measure.data.recorder import RUN_FILE
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from tests.support.plans import URL, planned
from tests.support.processes import QUICK, compare, loadgen, loadgen_process, wait_until
from tests.support.running import codes, running
from tests.support.runs import Start, check_account
from tests.support.targets import Target

S_NS = 1_000_000_000


def samples_of(directory: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    with np.load(directory / "samples.npz") as found:
        columns = {name: found[name] for name in found.files if name not in ("blocks", "parts")}
        return columns, json.loads(found["blocks"].tobytes())


def check_target(summary: dict[str, Any], target: Target, abandoned: int = 0) -> None:
    """Both sides counted the same, warm-up included, but for what an interruption left under way.

    A server may have answered what its client never read, and accepted a connection before its client knew.
    """
    check_account(summary)
    account, connections = target.stats(), [one["connections"] for one in summary["policies"].values()]
    assert 0 <= account["accepted"] - sum(one["opened"] for one in connections) <= abandoned
    assert 0 <= account["requests"] - sum(one["exchanges_with_warmup"] for one in connections) <= abandoned
    assert account["open"] == 0


# Whole runs


@pytest.mark.parametrize(("users", "processes"), [(3, 2), (5, 3)])
def test_counts_of_several_processes_are_the_targets(
    share_target: Start, tmp_path: Path, users: int, processes: int
) -> None:
    target = share_target()
    policies = "persistent,close,recycle:10"
    more = ["--policies", policies, "--users", str(users), "--processes", str(processes)]
    summary = compare(target.url, tmp_path / "run", *more)
    check_target(summary, target)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {RUN_FILE, "summary.json", "samples.npz"}
    assert (summary["plan"]["users"], summary["plan"]["processes"]) == (users, processes)
    persistent = summary["policies"]["persistent"]["connections"]
    assert persistent["opened"] == persistent["ideal"] == users * 2
    columns, blocks = samples_of(tmp_path / "run")
    assert {block["workers"] for block in blocks} == {processes}
    assert len(columns["wait"]) == sum(one["started"] for one in summary["policies"].values())
    shared = [len(set(columns["user"][columns["worker"] == number].tolist())) for number in range(processes)]
    assert shared == [users // processes + (number < users % processes) for number in range(processes)]
    assert "worker_died" not in {warning["code"] for warning in summary["warnings"]}


def test_workers_run_the_same_blocks_at_the_same_time(share_target: Start, tmp_path: Path) -> None:
    more = ("--users", "4", "--processes", "2", "--rounds", "3", "--block", "200ms")
    compare(share_target().url, tmp_path / "run", *more)
    columns, blocks = samples_of(tmp_path / "run")
    together = []
    for block in blocks:
        own = columns["round"] == block["round"]
        own &= columns["policy"] == ("persistent", "close").index(block["policy"])
        times = [columns["scheduled"][own & (columns["worker"] == number)] for number in range(2)]
        together_ns = min(one.max() for one in times) - max(one.min() for one in times)
        together.append(together_ns / block["window_ns"])
    # In the median: a machine that does something else may hold one worker up for most of a block.
    assert np.median(together) > 0.5


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_arrivals_of_several_processes_are_those_of_one(share_target: Start, tmp_path: Path, arrivals: str) -> None:
    target = share_target()
    load = ("--rate", "400", "--arrivals", arrivals, "--processes", "2")
    more = (*load, "--rounds", "2", "--block", "400ms", "--warmup", "50ms")
    summary = compare(target.url, tmp_path / "run", *more)
    check_target(summary, target)
    for one in summary["policies"].values():
        due = one["arrivals"]["due"]
        assert due == pytest.approx(400 * 0.35 * 2, abs=11 if arrivals == "constant" else 75)
        assert one["started"] + one["unstarted"] == due
        assert one["arrivals"]["rate_rps"] == 400
    columns, _ = samples_of(tmp_path / "run")
    assert np.ptp(np.bincount(columns["worker"])) < 0.3 * len(columns["worker"])


def test_a_comparison_runs_again_in_as_many_processes(tmp_path: Path) -> None:
    first = ["compare", "--users", "2", "--processes", "2", *QUICK, "--json", "--no-charts"]
    done = loadgen(*first, "--out", "one", "--save-plan", "p.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    account = json.loads(done.stdout)["environment"]["embedded_target"]
    check_account(json.loads(done.stdout))
    connections = [one["connections"] for one in json.loads(done.stdout)["policies"].values()]
    assert account["accepted"] == sum(one["opened"] for one in connections)
    assert "processes = 2\n" in (tmp_path / "p.toml").read_text(encoding="utf-8")
    for source in ("one", "p.toml"):
        text = loadgen("compare", "--plan", source, "--dry-run", cwd=tmp_path).stdout
        assert "4 blocks of 120ms in 2 processes" in text
    assert "processes" not in loadgen("compare", "--plan", "one", "--processes", "1", "--dry-run", cwd=tmp_path).stdout
    refused = loadgen("sweep", "--plan", "p.toml", "--recycle", "1,2", "--dry-run", cwd=tmp_path)
    assert (refused.returncode, "'processes' is for loadgen compare" in refused.stderr) == (2, True)


# Ends


@pytest.mark.parametrize("victim", [0, 1])
def test_the_others_go_on_when_a_worker_dies(share_target: Start, tmp_path: Path, victim: int) -> None:
    target = share_target()
    folder = tmp_path / "run"
    with running(target, folder, "--rounds", "3", "--block", "300ms", "--warmup", "50ms") as run:
        run.await_block(victim, "window_begun_ns", least=2)
        os.kill(run.workers()[victim], signal.SIGKILL)
        code, summary, said = run.end()
    assert code == 0
    check_account(summary)
    message = codes(summary)["worker_died"]
    died_in = int(re.findall(r"died in round (\d)", message)[0]) - 1
    assert f"worker {victim + 1} of 2 died" in message
    assert said.splitlines() == [f"loadgen: warning: {message}"]
    columns, blocks = samples_of(folder)
    workers = [block["workers"] for block in blocks]
    lost = workers.index(1)
    assert workers == [2] * lost + [1] * (6 - lost)
    assert lost >= 2
    assert blocks[lost]["round"] == died_in
    assert all(block["whole"] for block in blocks)
    rows = list(zip(*(columns[name].tolist() for name in ("worker", "connection", "nth_on_connection")), strict=True))
    assert len(rows) == len(set(rows)) == sum(one["started"] for one in summary["policies"].values())
    alone = np.isin(columns["round"] * 2 + columns["policy"], [
        block["round"] * 2 + ("persistent", "close").index(block["policy"]) for block in blocks[lost:]
    ])  # fmt: skip
    assert set(columns["worker"][alone].tolist()) == {1 - victim}
    # What the victim did in its last block is all that is not counted.
    missing = target.stats()["requests"] - sum(block["carried"] for block in blocks)
    assert 0 < missing < blocks[0]["carried"] + blocks[1]["carried"]


def test_when_all_workers_die_what_they_measured_stays(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    with running(target, tmp_path / "run", "--block", "60s") as run:
        wait_until(lambda: target.stats()["requests"] >= 4_000, run.process)
        for pid in run.workers().values():
            os.kill(pid, signal.SIGKILL)
        code, summary, _ = run.end()
    assert code == 130
    for one in summary["policies"].values():
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
    assert "died" in codes(summary)
    assert sum(block["exchanges"] for block in summary["blocks"]) > 3_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whom", ["the command", "a worker"])
def test_an_interruption_ends_all_workers(share_target: Start, tmp_path: Path, number: int, whom: str) -> None:
    target = share_target("--delay", "20ms")
    with running(target, tmp_path / "run", "--block", "60s") as run:
        wait_until(lambda: target.stats()["requests"] >= 200, run.process)
        os.kill(run.process.pid if whom == "the command" else run.workers()[1], number)
        code, summary, _ = run.end()
    assert code == 130
    check_target(summary, target, abandoned=4)
    assert codes(summary).keys() >= {"interrupted"}
    columns, _ = samples_of(tmp_path / "run")
    assert set(columns["worker"].tolist()) == {0, 1}
    assert not [path for path in (tmp_path / "run").iterdir() if path.is_dir()]


def test_an_interruption_finds_workers_that_wait_for_each_other(share_target: Start, tmp_path: Path) -> None:
    """One is stopped, so the other waits at the gate for the next block; there it hears of the end."""
    target = share_target()
    with running(target, tmp_path / "run", "--block", "150ms", "--warmup", "20ms", "--rounds", "50") as run:
        run.await_block(1, "index", least=1)
        stopped = run.workers()[1]
        os.kill(stopped, signal.SIGSTOP)
        run.await_block(0, "whole")
        run.process.send_signal(signal.SIGINT)
        wait_until(lambda: 0 not in run.workers(), run.process)
        os.kill(stopped, signal.SIGCONT)
        code, summary, _ = run.end()
    assert code == 130
    check_account(summary)


@pytest.mark.usefixtures("no_drawing")
def test_a_killed_parent_takes_its_workers_along(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    folder = tmp_path / "run"
    with running(target, folder, "--block", "200ms", "--warmup", "20ms", "--rounds", "100") as run:
        run.await_block(0, "index", least=2)
        workers = run.workers()
        run.process.kill()
        run.process.wait(timeout=20)
        assert len(workers) == 2
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers.values()))
    assert {path.name for path in folder.iterdir()} == {RUN_FILE, "worker-0", "worker-1"}
    summaries = []
    for _ in range(2):
        done = loadgen("report", str(folder), "--json")
        assert done.returncode == 0, done.stderr
        summaries.append(json.loads(done.stdout))
    assert summaries[0] == summaries[1]
    assert "the command ended before the run did" in codes(summaries[0])["interrupted"]
    check_target(summaries[0], target, abandoned=4)
    assert not list(folder.glob("worker-*"))


def test_a_full_disk_ends_all_workers(share_target: Start, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))

    more = ["--users", "4", "--processes", "2", "--json", "--no-charts", "--block", "60s", "--warmup", "20ms"]
    done = loadgen_process("compare", share_target().url, *more, "--out", "run", cwd=tmp_path, preexec_fn=limit)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "disk_full" in codes(json.loads(done.stdout))


# Bad input


def test_a_target_that_cannot_be_had_is_told_once(closed_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port}/"
    done = loadgen("compare", url, "--processes", "3", *QUICK, "--out", "run", cwd=tmp_path)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "connect refused" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--users", "2", "--processes", "3"], "--users 2 can't be spread over --processes 3"),
        (["--rate", "9", "--max-connections", "1", "--processes", "2"], "--max-connections 1 can't be spread"),
        (["--policies", "persistent,pool:4", "--processes", "2"], "'pool:4' shares one pool among all users"),
        (["--processes", "0"], "--processes is 0; at least 1 is needed"),
        (["--processes", "-2"], "--processes is -2"),
        (["--processes", "1000"], "--processes is 1,000; it must lie between 1 and 256"),
        (["--rate", "0.0015", "--processes", "2"], "--rate is 0.00075 per second"),
        (["--processes", "two"], "'two' is not a valid integer"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_spread_is_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = loadgen("compare", *arguments, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_runs_in_one_process(tmp_path: Path) -> None:
    done = loadgen("sweep", "--recycle", "1,2", "--processes", "2", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "loadgen: --processes is for compare\n")
    values = planned(compare_command, URL, "--processes", "2").to_json(secrets=True)
    with pytest.raises(PlanError, match="a sweep runs in one process"):
        Plan.from_json(values | {"policies": [], "axes": {"recycle": ["1", "2"]}})
