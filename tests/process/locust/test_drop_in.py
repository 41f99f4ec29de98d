"""One locustfile under HttpUser, FastHttpUser and ReuseUser: the same names, counts, failures and bytes."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.locusts import command, counts, summary
from tests.support.processes import free_port
from tests.support.shop_server import shops

LOCUSTFILE = Path(__file__).parents[2] / "support" / "shop_locustfile.py"
KINDS = ("HttpUser", "FastHttpUser", "ReuseUser")
Name = tuple[str, str]


class Ran(NamedTuple):
    """Locust's statistics by method and name: requests, failures, bytes of bodies; and what both servers were asked."""

    rows: dict[Name, tuple[int, int, int]]
    asked: Counter[str]
    accepted: int
    folder: Path


def run(kind: str, folder: Path) -> Ran:
    arguments = ["--headless", "-u", "2", "-r", "2", "-t", "60s", "--only-summary", "--json"]
    if kind == "ReuseUser":
        arguments += ["--block", "500ms", "--warmup", "0s"]
    with shops() as (shop, other):
        variables = {"USERS": kind, "OTHER": other.url, "DEAD": f"http://127.0.0.1:{free_port()}"}
        done = subprocess.run(
            command(LOCUSTFILE, *arguments, "-H", shop.url, draws=kind != "ReuseUser"),
            capture_output=True,
            text=True,
            timeout=120,
            cwd=folder,
            check=False,
            env=os.environ | {f"LOADGEN_TEST_{name}": value for name, value in variables.items()},
        )
        assert done.returncode == 1, done.stderr  # requests failed
        entries: list[dict[str, Any]] = json.loads(done.stdout)
        asked, accepted = shop.asked + other.asked, shop.accepted + other.accepted
    keys = ("num_requests", "num_failures", "total_content_length")
    rows = {(one["method"], one["name"]): tuple(one[key] for key in keys) for one in entries}
    return Ran(rows, asked, accepted, folder)  # type: ignore[arg-type] # three keys give three numbers


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    folders = [tmp_path_factory.mktemp(kind) for kind in KINDS]
    with ThreadPoolExecutor() as threads:  # most of the time each waits
        return dict(zip(KINDS, threads.map(run, KINDS, folders), strict=True))


@pytest.mark.parametrize("kind", KINDS[:2])
def test_names_counts_failures_and_bytes_are_the_same(ran: dict[str, Ran], kind: str) -> None:
    theirs, ours = ran[kind].rows, ran["ReuseUser"].rows
    assert len(theirs) > 40
    assert {name: ours.get(name) for name in theirs} == theirs


def test_nothing_is_counted_that_the_others_do_not_count(ran: dict[str, Ran]) -> None:
    assert ran["ReuseUser"].rows.keys() == ran["HttpUser"].rows.keys() | ran["FastHttpUser"].rows.keys()


def test_the_servers_were_asked_the_same(ran: dict[str, Ran]) -> None:
    """The exchanges behind the requests: each redirect that was followed, among them."""
    fast_alone = {"GET /fields": 2, "GET /lines": 2}
    assert ran["ReuseUser"].asked - ran["HttpUser"].asked == Counter(fast_alone)


def test_the_run_has_each_exchange_and_each_connection_of_both_origins(ran: dict[str, Ran]) -> None:
    unanswered = ran["ReuseUser"].asked["GET /silent"] + ran["ReuseUser"].asked["GET /slow"]
    answered = ran["ReuseUser"].asked.total() - unanswered
    assert counts(summary(ran["ReuseUser"].folder)) == (answered, ran["ReuseUser"].accepted)
