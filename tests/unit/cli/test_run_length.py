"""`--duration`, `--rounds` and `--block`: two of them decide the third, on the command line and in plan files."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from loadgen.cli.commands import compare, sweep
from loadgen.model.units import NS_PER_MS
from tests.support.plans import URL, complaint, planned

GRID = ("--recycle", "1,10,inf")


def length(*arguments: str, command: click.Command = compare) -> tuple[int, float]:
    """Rounds, and a block's length in ms."""
    load = planned(command, URL, *arguments).load
    return load.rounds, load.block_ns / NS_PER_MS


@pytest.mark.parametrize(
    ("arguments", "rounds", "block_ms"),
    [
        ([], 5, 2_000),
        (["--duration", "20s"], 5, 2_000),
        (["--duration", "1m"], 15, 2_000),
        (["--duration", "59s"], 14, 2_000),
        (["--duration", "4s"], 5, 400),
        (["--duration", "10s", "--policies", "persistent,close,recycle:9"], 5, 666),
        (["--duration", "50ms"], 2, 10),
        (["--duration", "20ms"], 1, 10),
        (["--duration", "10s", "--block", "500ms"], 10, 500),
        (["--duration", "5999ms", "--block", "1s"], 2, 1_000),
        (["--duration", "60s", "--rounds", "3"], 3, 10_000),
        (["--duration", "60ms", "--rounds", "3"], 3, 10),
    ],
)
def test_a_comparison(arguments: list[str], rounds: int, block_ms: float) -> None:
    assert length(*arguments) == (rounds, block_ms)


def test_a_sweep_has_shorter_blocks() -> None:
    assert length(*GRID, command=sweep) == (5, 1_000)
    assert length(*GRID, "--duration", "1m", command=sweep) == (20, 1_000)
    assert length(*GRID, "--users", "5,10", "--duration", "6s", command=sweep) == (5, 200)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--duration", "0s"], "--duration is 0 ns; at least 10 ms is needed"),
        (["--duration", "9ms"], "at least 10 ms is needed"),
        (["--duration", "a while"], "is not a duration"),
        (["--duration", "-1s"], "is not a duration"),
        (["--duration", "10s", "--rounds", "3", "--block", "1s"], "--duration contradicts --rounds with --block"),
        (["--duration", "3s", "--block", "2s"], "too short for 1 round of 2 blocks of 2s; at least 4s is needed"),
        (["--duration", "19ms"], "too short for 1 round of 2 blocks of 10ms; at least 20ms is needed"),
        (["--duration", "1s", "--rounds", "100"], "too short for 100 rounds of 2 blocks of 10ms; at least 2s is"),
        (["--duration", "1440m", "--block", "10ms"], "at most 10,000 rounds are possible, so give a longer --block"),
        (["--duration", "10s", "--rounds", "0"], "--rounds is 0; at least 1 is needed"),
        (["--duration", "10s", "--block", "1ms"], "--block is 1 ms; at least 10 ms is needed"),
        (["--duration", "1s", "--warmup", "200ms"], "--warmup is 200 ms, a part of each block of 100 ms"),
    ],
)
def test_what_makes_no_sense(arguments: list[str], text: str) -> None:
    assert text in complaint(compare, URL, *arguments)


@pytest.mark.parametrize(
    ("file", "arguments", "rounds", "block_ms"),
    [
        ('duration = "40s"', [], 10, 2_000),
        ('rounds = 3\nblock = "1s"', ["--duration", "10s"], 5, 1_000),
        ("rounds = 10", ["--duration", "10s"], 10, 500),
        ('rounds = 3\nblock = "1s"', ["--duration", "10s", "--rounds", "2"], 2, 2_500),
        ('duration = "40s"\nrounds = 3', ["--block", "1s"], 3, 1_000),
        ('duration = "40s"', ["--block", "1s"], 20, 1_000),
    ],
)
def test_a_plan_file_gives_way(file: str, arguments: list[str], rounds: int, block_ms: float, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(file, encoding="utf-8")
    assert length("--plan", str(plan), *arguments) == (rounds, block_ms)
