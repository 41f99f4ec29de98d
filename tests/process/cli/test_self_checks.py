"""Self-checks of real runs: arrivals that are as asked, and a target that gets slower while it is measured."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import HELLO, compare, read_request, scripted_server

LOAD = ("--policies", "persistent", "--rounds", "6", "--block", "350ms", "--warmup", "50ms")
TRIES = 3
BUSY = 2
"""With more processes a core that want to run, arrivals can't be on time."""


def slowing_run(folder: Path, *load: str) -> dict[str, Any]:
    """A run against a target that is twice as slow after half a second, three times after a second, and so on."""
    begun = time.monotonic()

    def slower(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            time.sleep(0.004 * (0.5 + time.monotonic() - begun))
            connection.sendall(HELLO)

    with scripted_server(slower) as port:
        return compare(f"http://127.0.0.1:{port}/", folder, *LOAD, *load)


def check(summary: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in summary["checks"] if one["name"] == name)


@pytest.mark.alone  # it measures time
def test_a_target_that_gets_slower_is_named(tmp_path: Path) -> None:
    summary = slowing_run(tmp_path / "run", "--users", "2", "--think", "0s")
    drift = check(summary, "stationarity")
    assert drift["passed"] is False
    assert drift["results"][0]["value"] > 0.5
    assert drift["message"].startswith("over the run persistent became ")
    assert f"{drift['message']}: {drift['action']}" in summary["verdict"]
    assert {"code": "not_stationary", "message": drift["message"]} in summary["warnings"]
    assert [one["name"] for one in summary["checks"]] == ["generator_share", "stationarity", "dependence"]


@pytest.mark.alone  # it measures time
def test_arrivals_of_a_machine_that_has_time_are_as_asked(tmp_path: Path) -> None:
    """Where something else takes its time they are not, and the check says so: one run of three is enough."""
    for number in range(TRIES):
        found = check(slowing_run(tmp_path / str(number), "--rate", "60"), "arrivals")
        by_statistic = {one["statistic"].split(",")[0]: one for one in found["results"]}
        assert len(by_statistic) == 4
        assert by_statistic["arrivals due"]["passed"] is True
        assert by_statistic["arrivals that never began"]["value"] == 0
        if found["passed"]:
            break
    load = os.getloadavg()[0]
    if not found["passed"] and load > BUSY * len(os.sched_getaffinity(0)):
        pytest.skip(f"something else takes this machine's time: its load is {load:.1f}")
    assert found["message"] == "requests began as asked"
