"""`--duration`, `--rounds`, `--block` and `--requests`: how long a run is, on the command line and in plan files."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from loadgen.cli.commands import compare, sweep
from loadgen.cli.dry_run import estimate_line
from loadgen.cli.plan_writer import save_plan
from loadgen.drive.schedule import blocks
from loadgen.model.units import NS_PER_MS, NS_PER_S
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
        (["--requests", "1000"], 5, 3_600_000),
        (["-n", "3"], 3, 3_600_000),
        (["-n", "9", "--processes", "2"], 4, 3_600_000),
        (["-n", "1"], 1, 3_600_000),
        (["-n", "1000", "--rounds", "7"], 7, 3_600_000),
        (["-n", "1000", "--block", "500ms"], 5, 500),
        (["-n", "1000", "--duration", "1m"], 5, 6_000),
        (["-n", "2", "--duration", "1m"], 2, 15_000),
        (["-n", "1000", "--duration", "1m", "--block", "1s"], 30, 1_000),
        (["-n", "1000", "--duration", "1m", "--rounds", "3"], 3, 10_000),
        (["-n", "20000", "--rounds", "10000"], 10_000, 3_600_000),  # more than a year, if each took its longest time
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
        (["-n", "0"], "--requests is 0; at least 1 is needed"),
        (["-n", "many"], "'many' is not a valid integer"),
        (["-n", "9", "--rounds", "10"], "--requests 9 can't be spread over --rounds 10; each round needs one"),
        (["-n", "9", "--rounds", "5", "--processes", "2"], "over --processes 2 in 5 rounds; at least 10 are needed"),
        (["-n", "9", "--until-precision", "2%"], "--requests contradicts --until-precision"),
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


def test_a_saved_plan_of_requests_sets_no_time(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    plan = planned(compare, URL, "-n", "1003", "--seed", "1")
    save_plan(path, plan, embedded=False)
    assert "block" not in path.read_text(encoding="utf-8")
    again = planned(compare, URL, "--plan", str(path))
    assert again.load == plan.load
    assert planned(compare, URL, "--plan", str(path), "--duration", "10s").load.block_ns == NS_PER_S


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["-n", "1000"],
            "2 policies × 1,000 requests in 5 rounds = 10 blocks of 200 requests: about 5 s of warm-up, what",
        ),
        (["-n", "1003", "--block", "1s"], "10 blocks of 200 or 201 requests, within 1s each: about 5 s of warm-up"),
        (["-n", "1", "--policies", "close"], "1 policy × 1 request in 1 round = 1 block of 1 request: about 1 s"),
        (["-n", "11", "--processes", "2"], "5 rounds = 10 blocks of 2 or 3 requests in 2 processes: about"),
    ],
)
def test_a_dry_run_says_how_many_requests_a_block_has(arguments: list[str], text: str) -> None:
    line = estimate_line(planned(compare, URL, *arguments))
    assert text in line
    assert line.endswith("of warm-up, what the requests take, and a few seconds for the report")


PRECISE = ("--until-precision", "2%")


def test_a_precision_decides_how_many_rounds_there_are() -> None:
    plan = planned(compare, URL, *PRECISE)
    assert (plan.until_precision, plan.max_time_ns) == (0.02, 300 * NS_PER_S)
    assert (plan.min_rounds, plan.max_rounds, plan.load.rounds) == (5, 75, 5)
    plan = planned(compare, URL, *PRECISE, "--rounds", "8", "--block", "500ms", "--max-time", "10s")
    assert (plan.min_rounds, plan.max_rounds) == (8, 10)
    plan = planned(compare, URL, *PRECISE, "--block", "500ms", "--rounds", "8", "--max-time", "5900ms")
    assert (plan.min_rounds, plan.max_rounds) == (5, 5)
    assert planned(compare, URL, *PRECISE, "--block", "10ms", "--max-time", "1440m").max_rounds == 10_000
    fixed = planned(compare, URL)
    assert (fixed.until_precision, fixed.min_rounds, fixed.max_rounds) == (None, 5, 5)


def test_the_schedule_of_a_precision_goes_on_to_the_last_round_that_fits() -> None:
    plan = planned(compare, URL, *PRECISE, "--block", "100ms", "--max-time", "2s", "--seed", "3")
    found = list(blocks(plan))
    assert [block.index for block in found] == list(range(20))
    assert found[:10] == list(blocks(planned(compare, URL, "--block", "100ms", "--seed", "3")))


def test_a_dry_run_says_how_long_it_may_take() -> None:
    line = estimate_line(planned(compare, URL, *PRECISE, "--max-time", "1m"))
    assert line == (
        "2 policies × 5 to 15 rounds of blocks of 2s, until each ratio is known within ±2%: about 20 s to 61 s and a "
        "few seconds for the report"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--until-precision", "0%"], "--until-precision is 0%; it must lie between 0.01% and 100%"),
        (["--until-precision", "101%"], "--until-precision is 101%; it must lie between 0.01% and 100%"),
        (["--until-precision", "-1%"], "'-1%' is not a percentage; write it like 2%"),
        (["--until-precision", "0.02"], "'0.02' is not a percentage; write it like 2%"),
        (["--until-precision", "narrow"], "'narrow' is not a percentage; write it like 2%"),
        ([*PRECISE, "--policies", "close"], "one policy alone has none"),
        ([*PRECISE, "--max-time", "0s"], "--max-time is 0 ns; at least 10 ms is needed"),
        (
            [*PRECISE, "--max-time", "19s"],
            "too short for 5 rounds of 2 blocks of 2s, and fewer show no precision; at least",
        ),
        ([*PRECISE, "--max-time", "long"], "is not a duration"),
        ([*PRECISE, "--duration", "1m"], "give --max-time instead"),
        ([*PRECISE, "--rounds", "0"], "--rounds is 0; at least 1 is needed"),
        ([*PRECISE, "--rounds", "4"], "--rounds is 4; with --until-precision at least 5 are needed"),
        (["--max-time", "1m"], "--max-time is for a run that ends once it is precise; give --until-precision too"),
        (["--max-time", "1m", "--duration", "1m"], "give --until-precision too"),
    ],
)
def test_precisions_that_make_no_sense(arguments: list[str], text: str) -> None:
    assert text in complaint(compare, URL, *arguments)


def test_a_sweep_has_no_precision(tmp_path: Path) -> None:
    assert "No such option" in complaint(sweep, URL, *GRID, *PRECISE)
    plan = tmp_path / "plan.toml"
    plan.write_text('until-precision = "2%"', encoding="utf-8")
    assert "is for loadgen compare" in complaint(sweep, URL, *GRID, "--plan", str(plan))


@pytest.mark.parametrize(
    ("file", "arguments", "precision", "max_rounds"),
    [
        ('until-precision = "2%"\nmax-time = "40s"', [], 0.02, 10),
        ('until-precision = "2%"\nmax-time = "40s"', ["--until-precision", "3%"], 0.03, 10),
        ('until-precision = "2%"\nmax-time = "40s"', ["--duration", "1m"], None, 15),
        ('duration = "40s"', ["--until-precision", "3%"], 0.03, 75),
    ],
)
def test_a_plan_file_s_precision_gives_way(
    file: str, arguments: list[str], precision: float | None, max_rounds: int, tmp_path: Path
) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(file, encoding="utf-8")
    plan = planned(compare, URL, "--plan", str(path), *arguments)
    assert (plan.until_precision, plan.max_rounds) == (precision, max_rounds)


def test_a_saved_plan_keeps_its_precision(tmp_path: Path) -> None:
    plan = planned(compare, URL, *PRECISE, "--max-time", "40s", "--rounds", "6")
    save_plan(tmp_path / "plan.toml", plan, embedded=False)
    assert planned(compare, "--plan", str(tmp_path / "plan.toml")) == plan
    save_plan(tmp_path / "fixed.toml", planned(compare, URL), embedded=False)
    text = (tmp_path / "fixed.toml").read_text(encoding="utf-8")
    assert "precision" not in text
    assert "max-time" not in text
