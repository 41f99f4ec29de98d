"""Users that don't make load, or not yet: no round counts without a word of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.locusts import account, counts, headless, summary

_SLOW_AND_FAILING = """
from itertools import count

import gevent

from loadgen.swarm import SwarmUser

numbers = count()

class User(SwarmUser):
    def on_start(self):
        number = next(numbers)
        if number == 0:
            raise ValueError("this user does not begin")
        gevent.sleep(number * 0.2)
"""
_FIXED = """
from locust import User

from loadgen.swarm import SwarmUser

class Engine(SwarmUser):
    fixed_count = 3

class Other(User):
    fixed_count = 2
    tasks = [lambda user: __import__("gevent").sleep(0.1)]
"""
_TEN_REQUESTS = """
from locust import constant, task
from locust.exception import StopUser

from loadgen.swarm import ReuseUser

class Shopper(ReuseUser):
    wait_time = constant(0.01)
    requests = 0

    @task
    def buy(self):
        self.client.get("/")
        self.requests += 1
        if self.requests == 10:
            {last}
"""
_ENDING, _QUITTING = (_TEN_REQUESTS.format(last=last) for last in ("raise StopUser", "self.environment.runner.quit()"))


def run(
    folder: Path, locustfile: str, *options: str, users: int, seconds: int = 2, killed: int = 0
) -> tuple[dict[str, Any], list[str]]:
    """The summary of a run, and what its warnings say of users.

    killed: this many may be killed in the middle of a request, whose answer then nobody counts.
    """
    path = folder / "users_locustfile.py"
    path.write_text(locustfile, encoding="utf-8")
    done = headless(path, folder, *options, users=users, seconds=seconds)
    found = summary(folder)
    for mine, targets in zip(counts(found), account(found), strict=True):
        assert 0 <= targets - mine <= killed, done.stderr
    return found, [one["message"] for one in found["warnings"] if one["code"] == "users_missing"]


def opened_by_persistent(found: dict[str, Any]) -> set[int]:
    """Connections that the users of each block opened: one each."""
    return {one["connections"]["opened"] for one in found["blocks"] if one["policy"] == "persistent"}


def test_blocks_wait_for_users_in_their_on_start_and_name_those_that_failed(tmp_path: Path) -> None:
    found, missing = run(tmp_path, _SLOW_AND_FAILING, users=4, seconds=4)
    assert opened_by_persistent(found) == {3}
    (message,) = missing
    assert message.startswith("fewer users made load than Locust was to start: 3 of 4 at the least, first in round 1;")


def test_classes_with_a_fixed_count_keep_no_run_waiting(tmp_path: Path) -> None:
    """Locust starts five of the nine users that it is asked for, and three of them are of the run."""
    found, missing = run(tmp_path, _FIXED, "--processes", "2", users=9, seconds=7)
    opened = opened_by_persistent(found)
    assert opened
    assert found["plan"]["users"] == 3
    (others,) = (one["message"] for one in found["warnings"] if one["code"] == "other_users")
    assert others.startswith("users that are not loadgen's ran beside the comparison (2 of Other): ")
    assert opened == {3} or missing  # a busy machine may have too few for a while, and then says so


def test_users_that_ended_by_themselves_are_named(tmp_path: Path) -> None:
    found, missing = run(tmp_path, _ENDING, users=2, seconds=4)
    assert found["policies"]["persistent"]["connections"]["exchanges_with_warmup"] == 20
    assert len(missing) == 1
    assert ": 0 of 2 at the least" in missing[0]


def test_a_run_without_any_user_says_so(tmp_path: Path) -> None:
    _, missing = run(tmp_path, _SLOW_AND_FAILING.replace("number == 0", "True"), users=2)
    assert len(missing) == 1
    assert ": 0 of 2 at the least" in missing[0]
    assert summary(tmp_path)["verdict"] == "no request that began in a measured window was answered: no user made load"


def test_users_that_end_the_test_leave_whole_results(tmp_path: Path) -> None:
    """Locust kills all users then, those among them that called `quit`.

    It may kill that one too soon, and then goes on without users until the run time is over.
    """
    found, _ = run(tmp_path, _QUITTING, users=3, seconds=10, killed=3)
    policy = found["policies"]["persistent"]["connections"]
    assert policy["exchanges_with_warmup"] + found.get("incomplete_rounds", {"exchanges": 0})["exchanges"] <= 30
