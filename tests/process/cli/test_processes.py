"""`loadgen compare --processes N`: one load made by several, counted once, whoever dies, stops or can't begin."""

from __future__ import annotations

import itertools
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.cli import experiment
from loadgen.cli.commands import compare as compare_command
from loadgen.cli.console import Progress
from loadgen.cli.experiment import Experiment
from loadgen.cli.worker_pool import end_of
from loadgen.drive.open_loop.due_times import due_ns
from loadgen.measure.data.recorder import BLOCKS_FILE, RUN_FILE, part_directory
from loadgen.measure.data.store import RunStore
from loadgen.model.arrivals import parse_arrivals
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.split import shares
from loadgen.model.target import parse_target
from tests.process.cli.test_compare import check_account
from tests.support.processes import QUICK, Target, compare, free_port, loadgen
from tests.unit.cli.test_console import shown
from tests.unit.cli.test_options import URL, planned

Start = Callable[..., Target]
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
    start_target: Start, tmp_path: Path, users: int, processes: int
) -> None:
    target = start_target()
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


def test_workers_run_the_same_blocks_at_the_same_time(start_target: Start, tmp_path: Path) -> None:
    compare(
        start_target().url, tmp_path / "run", "--users", "4", "--processes", "2", "--rounds", "3", "--block", "500ms"
    )
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
def test_arrivals_of_several_processes_are_those_of_one(start_target: Start, tmp_path: Path, arrivals: str) -> None:
    target = start_target()
    more = ["--rate", "400", "--arrivals", arrivals, "--processes", "2", "--rounds", "3", "--block", "500ms"]
    summary = compare(target.url, tmp_path / "run", *more)
    check_target(summary, target)
    for one in summary["policies"].values():
        due = one["arrivals"]["due"]
        assert due == pytest.approx(400 * 0.45 * 3, rel=0.02 if arrivals == "constant" else 0.25)
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
        assert "4 blocks of 200ms in 2 processes" in text
    assert "processes" not in loadgen("compare", "--plan", "one", "--processes", "1", "--dry-run", cwd=tmp_path).stdout
    refused = loadgen("sweep", "--plan", "p.toml", "--recycle", "1,2", "--dry-run", cwd=tmp_path)
    assert (refused.returncode, "'processes' is for loadgen compare" in refused.stderr) == (2, True)


def test_only_the_first_worker_looks_at_kernel_and_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Path, dict[str, Any]]] = []

    def workers(jobs: list[tuple[Path, dict[str, Any]]], *_: Any) -> list[dict[str, Any]]:
        given.extend(jobs)
        (jobs[0][0] / "exchanges.rows").touch()
        return [{"end": "done"}] * len(jobs)

    monkeypatch.setattr(experiment, "run_workers", workers)
    monkeypatch.setattr(experiment, "finish", lambda *_: None)
    options = {"as_json": False, "quiet": True, "no_charts": True}
    facts: dict[str, Any] = {"name": "run", "environment": {}, "notes": []}
    plan = planned(compare_command, URL, "--processes", "3", "--users", "7", "--server-pid", str(os.getpid()))
    store = RunStore.create(tmp_path / "run")
    assert Experiment(plan, store, facts, options).run() == 0
    assert [directory for directory, _ in given] == [part_directory(store.directory, number) for number in range(3)]
    assert [job["watches"] for _, job in given] == [True, False, False]
    assert [job["plan"]["server_pid"] for _, job in given] == [os.getpid(), None, None]
    assert [job["plan"]["users"] for _, job in given] == [3, 2, 2]
    assert all(job["waits"] for _, job in given)
    assert store.load_run()["plan"]["users"] == 7


# Ends


class Run:
    """A comparison under way, in two processes unless it is told otherwise."""

    def __init__(self, target: Target, folder: Path, *more: str) -> None:
        self.folder = folder
        arguments = ["compare", target.url, "--out", str(folder), "--json", "--no-charts", "--users", "4"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "loadgen", *arguments, "--processes", "2", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def workers(self) -> dict[int, int]:
        """The process of each worker."""
        pid = self.process.pid
        found = {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            line = []
            with suppress(FileNotFoundError):  # it has just ended
                line = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            part = next((one for one in line if b"/worker-" in one), b"")
            if part:
                found[int(part.rpartition(b"-")[2])] = int(child)
        return found

    def await_block(self, worker: int, key: str, least: int = 0) -> None:
        """Wait until the latest that a worker has noted of a block, at least the one with this index, has this key."""
        path = part_directory(self.folder, worker) / BLOCKS_FILE
        facts: dict[str, Any] = {}
        while facts.get("index", -1) < least or key not in facts:
            assert self.process.poll() is None
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            facts = json.loads(text.splitlines()[-1]) if text.endswith("\n") else {}

    def end(self) -> tuple[int, dict[str, Any], str]:
        """Exit code, summary and what was said."""
        out, said = self.process.communicate(timeout=60)
        assert "Traceback" not in said
        return self.process.returncode, json.loads(out), said


@contextmanager
def running(target: Target, folder: Path, *more: str) -> Iterator[Run]:
    run = Run(target, folder, *more)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.communicate(timeout=60)


def codes(summary: dict[str, Any]) -> dict[str, str]:
    return {warning["code"]: warning["message"] for warning in summary["warnings"]}


@pytest.mark.parametrize("victim", [0, 1])
def test_the_others_go_on_when_a_worker_dies(start_target: Start, tmp_path: Path, victim: int) -> None:
    target = start_target()
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


def test_when_all_workers_die_what_they_measured_stays(start_target: Start, tmp_path: Path) -> None:
    target = start_target()
    with running(target, tmp_path / "run", "--block", "60s") as run:
        while target.stats()["requests"] < 10_000:
            assert run.process.poll() is None
        for pid in run.workers().values():
            os.kill(pid, signal.SIGKILL)
        code, summary, _ = run.end()
    assert code == 130
    for one in summary["policies"].values():
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
    assert "died" in codes(summary)
    assert sum(block["exchanges"] for block in summary["blocks"]) > 9_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whom", ["the command", "a worker"])
def test_an_interruption_ends_all_workers(start_target: Start, tmp_path: Path, number: int, whom: str) -> None:
    target = start_target("--delay", "20ms")
    with running(target, tmp_path / "run", "--block", "60s") as run:
        while target.stats()["requests"] < 200:
            assert run.process.poll() is None
        os.kill(run.process.pid if whom == "the command" else run.workers()[1], number)
        code, summary, _ = run.end()
    assert code == 130
    check_target(summary, target, abandoned=4)
    assert codes(summary).keys() >= {"interrupted"}
    columns, _ = samples_of(tmp_path / "run")
    assert set(columns["worker"].tolist()) == {0, 1}
    assert not [path for path in (tmp_path / "run").iterdir() if path.is_dir()]


def test_an_interruption_finds_workers_that_wait_for_each_other(start_target: Start, tmp_path: Path) -> None:
    """One is stopped, so the other waits at the gate for the next block; there it hears of the end."""
    target = start_target()
    with running(target, tmp_path / "run", "--block", "150ms", "--warmup", "20ms", "--rounds", "50") as run:
        run.await_block(1, "index", least=1)
        stopped = run.workers()[1]
        os.kill(stopped, signal.SIGSTOP)
        run.await_block(0, "whole")
        run.process.send_signal(signal.SIGINT)
        while 0 in run.workers():
            assert run.process.poll() is None
        os.kill(stopped, signal.SIGCONT)
        code, summary, _ = run.end()
    assert code == 130
    check_account(summary)


def test_a_killed_parent_takes_its_workers_along(start_target: Start, tmp_path: Path) -> None:
    target = start_target()
    folder = tmp_path / "run"
    with running(target, folder, "--block", "200ms", "--warmup", "20ms", "--rounds", "100") as run:
        run.await_block(0, "index", least=2)
        workers = run.workers()
        run.process.kill()
        run.process.wait(timeout=20)
        assert len(workers) == 2
        while any(Path(f"/proc/{pid}").exists() for pid in workers.values()):
            os.sched_yield()
    assert {path.name for path in folder.iterdir()} == {RUN_FILE, "worker-0", "worker-1"}
    summaries = []
    for _ in range(2):
        done = loadgen("report", str(folder), "--json")
        assert done.returncode == 0, done.stderr
        summaries.append(json.loads(done.stdout))
    assert summaries[0] == summaries[1]
    check_target(summaries[0], target, abandoned=4)
    assert not list(folder.glob("worker-*"))


def test_a_full_disk_ends_all_workers(start_target: Start, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))

    more = ["--users", "4", "--processes", "2", "--json", "--block", "60s", "--warmup", "20ms"]
    done = loadgen("compare", start_target().url, *more, "--out", "run", cwd=tmp_path, preexec_fn=limit)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "disk_full" in codes(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (["done", "died", "done"], "done"), (["died", "died"], "died"), (["done", "interrupted"], "interrupted"),
        (["interrupted", "disk_full"], "disk_full"), (["interrupted", "target"], "target"), (["died"], "died"),
    ],
)  # fmt: skip
def test_how_a_run_of_several_has_ended(ends: list[str], expected: str) -> None:
    assert end_of([{"end": end} for end in ends]) == {"end": expected}


# Bad input


def test_a_target_that_cannot_be_had_is_told_once(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
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
        (["--processes", "0"], "--processes is 0; it must lie between 1 and 256"),
        (["--processes", "-2"], "--processes is -2"),
        (["--processes", "1000"], "--processes is 1000"),
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
    assert (done.returncode, "No such option" in done.stderr) == (2, True)
    values = planned(compare_command, URL, "--processes", "2").to_json(secrets=True)
    with pytest.raises(PlanError, match="a sweep runs in one process"):
        Plan.from_json(values | {"policies": [], "axes": {"recycle": ["1", "2"]}})


# Shares


def plan_of(processes: int, **load: Any) -> Plan:
    return Plan(parse_target(URL), parse_policies("persistent"), Load(**load), processes=processes)


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_shares_add_up_to_the_plan(processes: int) -> None:
    whole = plan_of(processes, users=10, max_connections=100)
    parts = shares(whole)
    assert len(parts) == processes
    assert sum(part.load.users for part in parts) == 10
    assert sum(part.load.max_connections for part in parts) == 100
    assert max(part.load.users for part in parts) - min(part.load.users for part in parts) <= 1
    assert max(part.peak_connections for part in parts) == whole.peak_connections
    assert {part.processes for part in parts} == {1}
    assert {part.seed for part in parts} == {whole.seed}  # the order of blocks


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_constant_arrivals_of_all_workers_are_those_of_one(processes: int) -> None:
    whole = plan_of(processes, rate_rps=600.0)
    dues = sorted(
        due
        for part in shares(whole)
        for due in itertools.islice(due_ns(part.load.rate_rps, part.load.arrivals, 7), 100)
    )
    alone = itertools.islice(due_ns(600.0, "constant", 7), 100 * processes)
    assert all(abs(one - other) <= 1 for one, other in zip(dues, alone, strict=True))


def test_poisson_arrivals_of_each_worker_are_its_own() -> None:
    parts = shares(plan_of(3, rate_rps=3_000.0, arrivals="poisson"))
    dues = [list(itertools.islice(due_ns(part.load.rate_rps, part.load.arrivals, 7), 20_000)) for part in parts]
    for one in dues:
        assert one[-1] == pytest.approx(20 * S_NS, rel=0.03)
    assert len(set(dues[0]) & set(dues[1])) < 20
    # The sum of Poisson processes is one: the variance of its counts is their mean.
    merged = np.concatenate([np.array(one)[np.array(one) < 18 * S_NS] for one in dues])
    counts = np.bincount(merged // (S_NS // 100))
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.15)
    again = list(itertools.islice(due_ns(parts[1].load.rate_rps, parts[1].load.arrivals, 7), 20_000))
    assert again == dues[1]


@pytest.mark.parametrize(
    "text", ["", "steady", "constant:", "constant:1", "constant:2/2", "constant:0/0", "poisson:-1/2", "constant:0/2x"]
)
def test_what_is_no_way_to_arrive(text: str) -> None:
    with pytest.raises(PlanError, match="--arrivals is"):
        parse_arrivals(text)


def test_a_share_of_arrivals_is_read_as_it_is_written() -> None:
    for text in ("constant", "poisson", "poisson:0/2", "constant:6/7"):
        assert str(parse_arrivals(text)) == text


# The bar


def test_the_bar_adds_up_what_all_workers_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    ticks = itertools.count()
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    with Progress(planned(compare_command, URL, "--processes", "2"), False, 0) as progress:
        begun_s = next(ticks)
        for worker in (0, 1):
            progress.show({"block": {"index": 0, "round": 0, "policy": "close"}}, worker)
        for worker in (0, 1):
            progress.show({"exchanges": 300, "errors": worker}, worker)
        spent_s = progress._counts["close"].seconds
        assert 0 < spent_s <= next(ticks) - begun_s
        assert (progress._counts["close"].exchanges, progress._counts["close"].errors) == (600, 1)
        assert progress._begun == 1
    assert "1 error" in shown(capsys)
