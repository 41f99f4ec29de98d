"""Every number that can be given: absurd ones are refused with one line before anything is made for them."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from loadgen.cli.commands import target as target_command
from loadgen.cli.target import behaviour_of
from loadgen.model.exceptions import PlanError
from loadgen.model.option import COMPARE, SWEEP
from loadgen.model.options import options_of
from loadgen.model.policy import PARTS
from loadgen.model.value_types import Duration, ListOf, Rate, ValueType, Whole
from tests.support.runner import Result, run_cli

URL = "http://127.0.0.1:8080/"
DIGITS = [
    "0", "-1", "1", "1.5", "1e400", "nan", "inf", "1_000", "٣", "0x10", "", " ", "9" * 18, "9" * 19, "9" * 400,
    "9" * 5_000,
]  # fmt: skip
DURATIONS = [
    "0", "-1s", "1s", "1.5s", "1ns", "1e400s", "nan", "inf", "1_000s", "٣s", "25h", "1441m", "",
    *(f"{one}s" for one in DIGITS[-4:]),
]  # fmt: skip
MAX_S = 1.0
MAX_BYTES = 200 << 20


def texts_for(kind: ValueType) -> list[str]:
    return DURATIONS if kind.name.startswith("duration") else DIGITS


def is_number(kind: ValueType) -> bool:
    """Also a number of requests or `inf`, and a gap, which are read as texts."""
    item = kind.item if isinstance(kind, ListOf) else kind
    return isinstance(item, Whole | Rate | Duration) or item.name == "amount"


OPTIONS = [
    pytest.param(command, option.key, option.type, id=f"{command} {option.key}")
    for command in (COMPARE, SWEEP)
    for option in options_of(command)
    if is_number(option.type) and (command == COMPARE or option.is_axis)
]


@contextmanager
def little_effort() -> Iterator[None]:
    """Neither a second of work nor 200 MB are spent. A loaded machine has other work: this counts our own."""
    used, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - used < MAX_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < MAX_BYTES >> 10


def check_refused_or_small(done: Result) -> None:
    if done.code == 0:
        assert done.stdout.splitlines()[-1].endswith("and a few seconds for the report")
        return
    assert (done.code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("loadgen: ")
    assert len(line) < 400


@pytest.mark.parametrize(("command", "key", "kind"), OPTIONS)
def test_a_number_is_in_range_or_refused_in_one_line(command: str, key: str, kind: ValueType, tmp_path: Path) -> None:
    grid = ["--users", "1,2"] if command == SWEEP and key not in ("users", "rate", "max-connections") else []
    needed = ["--rate", "9"] if key == "max-connections" else []
    if command == SWEEP and not grid:
        grid = ["--recycle", "1,2"]
    url = f"{URL}{{size}}" if key == "size" else URL
    for text in texts_for(kind):
        with little_effort():
            done = run_cli(command, url, *grid, *needed, f"--{key}={text}", "--dry-run", cwd=tmp_path)
        check_refused_or_small(done)
        if text in (DIGITS[-2], "٣", "٣s", "1_000", "-1", "-1s", "nan", "1e400"):
            assert done.code == 2, text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("word", [word for word, part in PARTS.items() if part.parameter])
def test_a_policy_s_parameter_is_in_range_or_refused_in_one_line(word: str, tmp_path: Path) -> None:
    texts = DURATIONS if PARTS[word].parameter == "T" else DIGITS
    base = "h2+" if word == "streams" else ""
    for text in texts:
        with little_effort():
            done = run_cli("compare", URL, "--policies", f"{base}{word}:{text}", "--dry-run", cwd=tmp_path)
        check_refused_or_small(done)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--rounds", "100000000"], "--rounds is 100,000,000; it must lie between 1 and 10,000"),
        (["--rounds", "10000", "--block", "30m"], "at most a year is possible"),
        (
            ["--rounds", "10000", "--policies", ",".join(f"recycle:{number}" for number in range(1, 12))],
            "110,000 blocks",
        ),
        (["--policies", ",".join(f"recycle:{number}" for number in range(1, 502))], "501 policies are named"),
        (["--users", "1000001"], "--users is 1,000,001; it must lie between 1 and 1,000,000"),
        (["--policies", "lifetime:25000m"], "at most 86,400 s is possible"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_would_never_end_is_refused(arguments: list[str], text: str, tmp_path: Path) -> None:
    with little_effort():
        done = run_cli("compare", URL, *arguments, "--dry-run", cwd=tmp_path)
    assert done.code == 2
    assert text in done.stderr


def test_a_grid_is_counted_before_it_is_made(tmp_path: Path) -> None:
    many = ",".join(map(str, range(1, 3_000)))
    with little_effort():
        done = run_cli("sweep", URL, "--users", many, "--recycle", many, "--dry-run", cwd=tmp_path)
    assert (done.code, "cells; 500 is the most" in done.stderr) == (2, True)


def test_the_longest_plan_is_shown(tmp_path: Path) -> None:
    with little_effort():
        done = run_cli("compare", URL, "--dry-run", "--rounds", "10000", "--users", "50", cwd=tmp_path)
    assert done.code == 0
    assert len(done.stdout.splitlines()) == 20_001


@pytest.mark.parametrize("key", ["port", "size", "delay", "close-after", "idle-timeout", "max-streams"])
def test_the_target_s_numbers_too(key: str) -> None:
    for text in DURATIONS if key in ("delay", "idle-timeout") else DIGITS:
        with little_effort():
            try:
                context = target_command.make_context("loadgen", [f"--{key}={text}"])
                behaviour_of(context.params)
            except (click.UsageError, PlanError) as error:
                complaint = str(error)
                assert "\n" not in complaint
                assert len(complaint) < 400
            else:
                assert text.strip("s0+ -") in ("", "1", "1n", "1441m", "1.5", "9" * 18) or key != "port"
