"""What a run will take is said where it is much: by the rate, or after the first round."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.cli.commands import compare as compare_command
from loadgen.cli.size_forecast import SizeForecast, planned_requests, size_line
from loadgen.model.plan import Plan
from tests.support.plans import URL, planned
from tests.support.runner import run_cli


def plan(*more: str) -> Plan:
    return planned(compare_command, URL, *more)


def test_arrivals_are_known_before_and_users_are_not() -> None:
    assert planned_requests(plan("--rate", "1000", "--rounds", "3", "--block", "10s")) == 60_000
    assert planned_requests(plan("--users", "10")) is None


@pytest.mark.parametrize(
    ("requests", "line"),
    [
        (999_999, ""),
        (2_000_000, "about 2,000,000 requests: up to 260 MB of disk and 560 MB of memory"),
        (36_123_456, "about 36,000,000 requests, of which rows of 3,000,000 at most are kept (--max-samples): up to "
                     "560 MB of disk and 790 MB of memory"),
    ],
)  # fmt: skip
def test_little_is_not_worth_a_line(requests: int, line: str) -> None:
    assert size_line(requests, plan()) == line


def events(*given: tuple[int, dict[str, Any]], rounds: int = 10) -> list[str]:
    forecast = SizeForecast(plan("--rounds", str(rounds)))
    return [line for worker, event in given if (line := forecast.add(worker, event))]


FIRST_ROUND = [(0, {"ready": 0}), (1, {"exchanges": 100_000}), (0, {"exchanges": 200_000}), (0, {"ready": 1})]


def test_the_first_round_says_it_once() -> None:
    found = events(*FIRST_ROUND, (0, {"ready": 2}), (1, {"ready": 2}), (0, {"exchanges": 900_000}), (0, {"ready": 3}))
    assert len(found) == 1
    assert found[0].startswith("about 3,000,000 requests: ")


def test_a_single_round_needs_no_forecast() -> None:
    assert events(*FIRST_ROUND, (0, {"ready": 2}), rounds=1) == []


def test_a_dry_run_says_it() -> None:
    rate = ("compare", URL, "--dry-run", "--rounds", "100", "--block", "10s", "--rate")
    assert "about 4,000,000 requests, of which" in run_cli(*rate, "2000").stdout.splitlines()[-1]
    assert "requests" not in run_cli(*rate, "20").stdout.splitlines()[-1]
