"""`loadgen compare --requests N`: exactly N of each policy, in the summary, on the target and in nginx's log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.model.load import share_of
from tests.support.processes import Nginx, compare, wait_until
from tests.support.running import codes
from tests.support.runs import Start, check_account

ROUNDS = 20
LONG = ["--rounds", f"{ROUNDS}", "--block", "10s"]
"""So many blocks, each of which must be exact; none comes near its longest time."""


def started(folder: Path) -> dict[str, list[int]]:
    """How many requests each policy's blocks have measured, by round."""
    with np.load(folder / "samples.npz") as samples:
        blocks = json.loads(samples["blocks"].tobytes())
    found: dict[str, list[int]] = {}
    for block in sorted(blocks, key=lambda block: block["round"]):
        found.setdefault(block["policy"], []).append(block["started"])
    return found


def check_exact(summary: dict[str, Any], folder: Path, asked: int) -> None:
    """All of them began, and each block had its share: that of each worker differs by one request at most."""
    check_account(summary)
    workers = summary["plan"]["processes"]
    each = [share_of(asked, worker, workers) for worker in range(workers)]
    shares = [sum(share_of(one, number, ROUNDS) for one in each) for number in range(ROUNDS)]
    assert started(folder) == dict.fromkeys(summary["policies"], shares)
    assert {(one["started"], one["missing"]) for one in summary["policies"].values()} == {(asked, 0)}
    assert "requests_missing" not in codes(summary)


def test_every_protocol_measures_exactly_what_was_asked_for(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    policies = "websocket,h2-prior,h2-prior+streams:3"
    summary = compare(target.url, tmp_path / "run", *LONG, "--policies", policies, "--warmup", "5ms", "-n", "207")
    check_exact(summary, tmp_path / "run", 207)
    assert all(one["requests"] == 207 for one in summary["policies"].values())
    account = target.stats()
    assert account["requests"] == sum(
        one["connections"]["exchanges_with_warmup"] for one in summary["policies"].values()
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "9", "--policies", "persistent,close,pipeline:3,pool:2"],
        ["--rate", "8000", "--policies", "persistent,close,pool:1"],
        ["--users", "5", "--processes", "2", "--policies", "close,recycle:3"],
    ],
)
def test_the_servers_log_has_as_many_and_each_workers_first(nginx: Nginx, tmp_path: Path, arguments: list[str]) -> None:
    summary = compare(nginx.http, tmp_path / "run", *LONG, "--warmup", "0s", "--requests", "207", *arguments)
    check_exact(summary, tmp_path / "run", 207)
    logged = 207 * len(summary["policies"]) + summary["plan"]["processes"]
    wait_until(lambda: len(nginx.log()) >= logged)  # a line is written once its response has left
    assert len(nginx.log()) == logged


def test_what_fails_is_one_of_them_and_so_is_what_is_sent_once_more(nginx: Nginx, tmp_path: Path) -> None:
    more = ["--policies", "ignore-close+pool:2", "--retry-stale", "--users", "3"]
    summary = compare(nginx.limited, tmp_path / "run", *LONG, "--warmup", "0s", "-n", "1007", *more)
    check_exact(summary, tmp_path / "run", 1007)
    for one in summary["policies"].values():
        assert one["requests"] + sum(one["errors"].values()) == 1007
        assert one["connections"]["retried"] > 0


def test_the_time_of_a_block_is_a_limit_and_what_is_missing_is_said(share_target: Start, tmp_path: Path) -> None:
    summary = compare(share_target().url, tmp_path / "run", "-n", "1000000")
    check_account(summary)
    assert "requests_missing" in codes(summary)
    for one in summary["policies"].values():
        assert one["started"] + one["missing"] == 1_000_000
        assert one["requests"] > 0
