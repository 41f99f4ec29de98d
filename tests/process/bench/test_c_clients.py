"""The C clients of the benchmark do what they say, by the target's own account."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.c_program import compiled
from tests.bench.light import parse_rows
from tests.bench.machine import find
from tests.support.targets import Target

pytestmark = pytest.mark.skipif(find("cc") is None, reason="needs a C compiler")


def run(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = compiled(name, folder)
    assert program is not None
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_the_reference_client_makes_both_policies(share_target: Callable[..., Target], tmp_path: Path) -> None:
    target = share_target()
    # Two pairs of blocks of 100 ms, of which 20 are warm-up, with 1 ms of think time.
    done = run("reference_client", tmp_path, str(target.port), "/", "2", "100", "20", "1000")
    assert done.returncode == 0, done.stderr
    rows = parse_rows(done.stdout)
    by_policy = {name: [row for row in rows if row.policy == name] for name in ("persistent", "close")}
    assert all(row.connect_ns is None for row in by_policy["persistent"])
    assert all(row.connect_ns is not None and row.connect_ns > 0 for row in by_policy["close"])
    assert all(row.send_wait_ns > 0 and row.receive_ns > 0 for row in rows)
    starts = [row.scheduled_ns for row in rows]
    assert starts == sorted(starts)
    # Each block of `persistent` had one connection; each connection of `close` had one request.
    stats = target.stats()
    lengths = {int(length): count for length, count in stats["requests_per_connection"].items()}
    assert sum(count for length, count in lengths.items() if length > 1) == 2
    assert lengths[1] >= len(by_policy["close"]) > 0
    assert stats["requests"] >= len(rows)


def test_the_websocket_client_counts_echoes(share_target: Callable[..., Target], tmp_path: Path) -> None:
    target = share_target()
    done = run("websocket_client", tmp_path, str(target.port), "3", "1")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 3
    stats = target.stats()
    assert stats["accepted"] == stats["protocols"]["websocket"] == 3


@pytest.mark.parametrize(
    ("name", "arguments"), [("reference_client", ["/", "1", "20", "0", "1000"]), ("websocket_client", ["1", "1"])]
)
def test_a_server_that_is_not_there_is_one_line(name: str, arguments: list[str], tmp_path: Path) -> None:
    done = run(name, tmp_path, "1", *arguments)
    assert done.returncode == 1
    assert done.stderr == f"{name}: connect: Connection refused\n"
