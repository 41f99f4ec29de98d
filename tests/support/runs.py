"""Runs against a target that counts too: what must hold in every summary, and sweeps that a test cuts off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from loadgen.measure.data.store import RunStore
from tests.support.processes import compare, wait_until
from tests.support.summary_schema import check_summary
from tests.support.targets import Target

Start = Callable[..., Target]
USERS, BLOCKS = 4, 2
"""Of `run` and `run_unchecked`."""
SHORT = ["--rounds", "2", "--block", "150ms", "--warmup", "30ms", "--users", "2"]
"""Of sweeps."""
_POLICY_FIELDS = {
    "started", "requests", "unfinished", "errors", "seconds", "throughput_rps", "connections", "latency_ns",
    "phases_ns", "generator",
}  # fmt: skip


def check_account(summary: dict[str, Any]) -> None:
    """What must hold in every summary."""
    check_summary(summary)
    for one in summary["policies"].values():
        assert one.keys() >= _POLICY_FIELDS
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
        closed = one["connections"]["closed_by"]
        assert closed["client"] + closed["server"] == one["connections"]["opened"]


def compare_busily(url: str, out: Path, policies: Sequence[str], *arguments: str) -> dict[str, Any]:
    """The summary of a quick comparison whose users don't pause, so that a slow machine gets to enough requests too."""
    return compare(url, out, "--users", str(USERS), "--policies", ",".join(policies), *arguments, think="0s")


def run(target: Target, folder: Path, policy: str, *arguments: str) -> dict[str, Any]:
    """One policy, two blocks; its part of the summary, once the counts of both sides are known to agree."""
    one = run_unchecked(target, folder, policy, *arguments)
    account = target.stats()
    assert account["accepted"] == one["connections"]["opened"]
    assert account["requests"] == one["connections"]["exchanges_with_warmup"]
    assert account["open"] == 0
    assert sum(one["connections"]["endings"].values()) == one["connections"]["opened"]
    return one


def run_unchecked(target: Target, folder: Path, policy: str, *arguments: str) -> dict[str, Any]:
    one: dict[str, Any] = compare_busily(target.url, folder / "run", [policy], *arguments)["policies"][policy]
    return one


def begin_sweep(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a sweep of six blocks and come back when two of them are done."""
    command = [sys.executable, "-m", "loadgen", "sweep", *arguments, "--out", "run", *SHORT, "--block", "300ms"]
    command.append("--no-charts")
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    blocks = folder / "run" / "blocks.jsonl"
    wait_until(lambda: blocks.exists() and blocks.read_text(encoding="utf-8").count('"whole": true') >= 2, process)
    return process


class SharedRun:
    """One run of several policies against one target, for tests that each look at one of them.

    summary: of the whole run. account: what the target counted in it.
    """

    def __init__(self, target: Target, folder: Path, policies: Sequence[str], *arguments: str) -> None:
        trust = ("--cacert", str(target.ca_file)) if target.ca_file else ()
        self.summary = compare_busily(target.url, folder / "run", policies, *arguments, *trust)
        self.account = target.stats()
        self.samples = RunStore.open(folder / "run").load_samples(tuple(policies))

    def __getitem__(self, policy: str) -> dict[str, Any]:
        """The policy's part of the summary."""
        one: dict[str, Any] = self.summary["policies"][policy]
        return one

    def rows(self, policy: str) -> dict[str, Any]:
        """The columns of the policy's samples."""
        own = self.samples.columns["policy"] == self.samples.policies.index(policy)
        return {name: column[own] for name, column in self.samples.columns.items()}

    def longest(self, policy: str) -> int:
        """The most requests that one of the policy's connections carried, of those that are samples."""
        return int(self.rows(policy)["nth_on_connection"].max()) + 1

    def check_counts(self) -> None:
        """Both sides counted the same."""
        check_account(self.summary)
        connections = [one["connections"] for one in self.summary["policies"].values()]
        assert self.account["accepted"] == sum(one["opened"] for one in connections)
        assert self.account["requests"] == sum(one["exchanges_with_warmup"] for one in connections)
        assert self.account["open"] == 0
        for one in connections:
            assert sum(one["endings"].values()) == one["opened"]
