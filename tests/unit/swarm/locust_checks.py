"""Tests of the modules that need Locust; `test_with_locust` runs them in a child process, which Locust patches."""

from __future__ import annotations

import inspect
import random
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import gevent
import locust
import locust.runners
import locust.stats
import pytest
from gevent.event import Event
from gevent.pool import Group
from locust.argument_parser import get_parser, parse_options
from locust.env import Environment
from locust.stats import RequestStats

import loadgen.swarm
from loadgen.swarm import ReuseUser, SwarmUser, locust_events, locust_patches, locust_states
from loadgen.swarm.locust_events import _plugin
from loadgen.swarm.locust_stats import merge_figures
from loadgen.swarm.options import COMMAND_LINE_ONLY
from loadgen.swarm.user_classes import UserKind, kind_of
from tests.support.fake_swarm import locust_options


def test_states_are_spelled_as_locust_spells_them() -> None:
    for name in ("SPAWNING", "RUNNING", "CLEANUP", "STOPPING", "MISSING"):
        assert getattr(locust_states, name) == getattr(locust.runners, f"STATE_{name}")


def test_the_package_exports_its_user_classes_and_nothing_else() -> None:
    assert (kind_of(SwarmUser), kind_of(ReuseUser)) == (UserKind.SWARM, UserKind.SCENARIO)
    with pytest.raises(AttributeError, match="has no attribute 'Swarm'"):
        loadgen.swarm.Swarm  # noqa: B018 # reading it is the test


def test_locust_s_parser_takes_our_options_and_its_form_those_that_it_may() -> None:
    mine, locusts = locust_options(), parse_options(args=["-f", "x.py", "-u", "1"])
    for name, value in vars(mine).items():
        if name not in ("spawn_rate", "results"):
            assert getattr(locusts, name) == value, name
    shown = {action.dest for action in get_parser()._actions if getattr(action, "include_in_web_ui", True)}
    assert not shown & set(COMMAND_LINE_ONLY) & {"seed", "results", "max_samples", "header"}


def test_this_machine_alone_reaches_what_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    here = parse_options(args=["-f", "x.py"])
    assert (here.web_host, here.master_bind_host) == ("127.0.0.1", "*")  # workers of a master come from elsewhere
    assert parse_options(args=["-f", "x.py", "--web-host", "*"]).web_host == "*"
    monkeypatch.setattr(sys, "argv", ["locust", "--processes", "2"])
    assert parse_options(args=["-f", "x.py"]).master_bind_host == "127.0.0.1"
    monkeypatch.setenv("LOCUST_WEB_HOST", "0.0.0.0")
    assert parse_options(args=["-f", "x.py"]).web_host == "0.0.0.0"


def test_the_embedded_roles_of_a_local_runner() -> None:
    environment = Environment(user_classes=[])
    environment.parsed_options = locust_options()
    runner = environment.create_local_runner()
    plugin = _plugin(environment, runner)
    assert plugin.agent is not None
    assert plugin.controller is not None
    # What it sends to its workers comes back to it as Locust delivers it.
    heard: list[str] = []
    plugin.agent.cut_block = lambda: heard.append("cut")  # type: ignore[method-assign]
    runner.send_message("loadgen_cut_block", {"run": "r"}, "local")
    gevent.sleep(0)
    assert heard == ["cut"]


def test_a_swarm_user_is_counted_while_it_lives() -> None:
    started = Event()

    class Mine(SwarmUser):
        def on_start(self) -> None:
            started.wait()

    environment = Environment(user_classes=[Mine])
    running, spawned = Counter[str](), Counter[str]()
    plugin: Any = SimpleNamespace(
        user_started=lambda name: running.update([name]), user_stopped=lambda name: running.subtract([name]),
        user_spawned=lambda name: spawned.update([name]), user_gone=lambda name: spawned.subtract([name]),
    )  # fmt: skip
    environment.loadgen = plugin  # type: ignore[attr-defined] # Locust's class has no such attribute
    greenlet = Mine(environment).start(Group())
    gevent.sleep(0)
    assert (spawned["Mine"], running["Mine"]) == (1, 0)
    started.set()
    gevent.sleep(0.001)
    assert (spawned["Mine"], running["Mine"]) == (1, 1)
    greenlet.kill()
    gevent.sleep(0)
    assert (spawned["Mine"], running["Mine"]) == (0, 0)


# Statistics


FIGURES = {
    "count": 3, "total_ms": 6.0, "min_ms": 1.0, "max_ms": 3.0, "times_ms": {1.0: 1, 2.0: 1, 3.0: 1}, "bytes": 15,
    "failures": {"503": 2}, "last_s": 101.5, "per_second": {100: 1, 101: 2}, "failures_per_second": {101: 2},
}  # fmt: skip


def test_a_block_s_requests_are_added_to_their_entry_and_to_the_total() -> None:
    stats = RequestStats()
    stats.log_request("GET", "/other", 5, 1)
    for _ in range(2):
        merge_figures(stats, "GET", "/ [close]", FIGURES)
    entry = stats.entries[("/ [close]", "GET")]
    assert (entry.num_requests, entry.num_failures, entry.total_response_time) == (6, 4, 12.0)
    assert (entry.min_response_time, entry.max_response_time, entry.median_response_time) == (1.0, 3.0, 2.0)
    assert entry.response_times == {1.0: 2, 2.0: 2, 3.0: 2}
    assert (entry.total_content_length, entry.last_request_timestamp) == (30, 101.5)
    assert entry.num_reqs_per_sec == {100: 2, 101: 4}
    assert entry.num_fail_per_sec == {101: 4}
    assert (stats.total.num_requests, stats.total.num_failures) == (7, 4)
    (error,) = stats.errors.values()
    assert (error.method, error.name, error.error, error.occurrences) == ("GET", "/ [close]", "503", 4)


# Turns


def test_without_a_wait_time_others_get_a_turn_unless_a_request_gave_them_one() -> None:
    gave = [False, True]  # from its end
    user: Any = SimpleNamespace(greenlet_client=SimpleNamespace(take_turn=gave.pop), min_wait=0, max_wait=0)
    user.wait_function = None
    tasks, heard = locust.TaskSet(user), []
    gevent.spawn(heard.append, 1)
    tasks._sleep(0)
    assert heard == []
    tasks._sleep(0)
    assert heard == [1]


def test_a_wait_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("gevent.sleep", slept.append)
    user: Any = SimpleNamespace(greenlet_client=SimpleNamespace(take_turn=lambda: True), min_wait=0, max_wait=0)
    user.wait_function = None
    tasks = locust.TaskSet(user)
    tasks._sleep(0.5)
    user.greenlet_client = None  # another kind of user
    tasks._sleep(0)
    assert slept == [0.5, 0]


# Digits


@pytest.mark.parametrize(
    ("value", "rounded", "text"),
    [
        (0, 0, "0"), (0.00001, 0, "0"), (0.04123, 0.0412, "0.0412"), (0.10149, 0.101, "0.101"),
        (0.1016, 0.102, "0.102"), (0.99951, 1, "1.00"), (1.2345, 1.23, "1.23"), (9.996, 10, "10.0"),
        (12.34, 12.3, "12.3"), (99.96, 100, "100"), (147.4, 147, "147"), (999.6, 1000, "1000"), (1234, 1230, "1230"),
        (58760, 58800, "58800"), (123456789, 123000000, "123000000"),
    ],
)  # fmt: skip
def test_three_digits_at_any_size(value: float, rounded: float, text: str) -> None:
    assert locust_patches.three_digits(value) == rounded
    assert locust_patches.readable(value) == text


def test_three_digits_are_the_same_keys_in_every_process() -> None:
    draw = random.Random(1)
    keys = set()
    for _ in range(100_000):
        value = 10 ** draw.uniform(-1, 5)
        key = locust_patches.three_digits(value)
        keys.add(key)
        assert abs(key - value) <= value * 0.00501, (value, key)
        assert len(Decimal(repr(key)).normalize().as_tuple().digits) <= 3, (value, key)
    assert len(keys) <= 900 * 6 + 1


def test_a_writer_of_csv_files_ends_when_they_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locust.stats, "CSV_STATS_INTERVAL_SEC", 0.001)
    environment = Environment(events=locust.events)
    environment.create_local_runner()
    writer = locust.stats.StatsCSVFileWriter(environment, [0.5], str(tmp_path / "stats"))
    greenlet = gevent.spawn(writer.stats_writer)
    gevent.sleep(0)  # it begins to write
    writer.close_files()
    greenlet.join(timeout=10)
    assert greenlet.successful()


def test_sources_of_modules_are_known_before_locust_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, str] = {}
    monkeypatch.setattr(inspect, "modulesbyfile", known)
    monkeypatch.setattr(inspect, "_filesbymodname", {})
    monkeypatch.setattr(locust_events, "_plugin", Mock(side_effect=InterruptedError))
    with pytest.raises(InterruptedError):
        locust_events._connect(Environment(), None, None)
    assert known[locust.runners.__file__] == "locust.runners"


def test_installing_the_patches_twice_is_the_same_as_once() -> None:
    locust_patches.install()
    locust_patches.install()
    assert locust.stats.bucket_response_time is locust_patches.three_digits
    stats = RequestStats()
    stats.log_request("GET", "/", 0.12345, 1)
    figures = stats.get("/", "GET").to_dict()
    assert (figures["min_response_time"], figures["median_response_time"]) == (0.123, 0.123)
