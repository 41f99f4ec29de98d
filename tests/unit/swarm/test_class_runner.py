"""The load of one user class: blocks on the engine, stretches of a scenario, and what is reported of both."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadgen.drive.schedule import Block
from loadgen.model.addressing import Addressing
from loadgen.model.endpoint import parse_resolve_rule
from loadgen.model.plan import Plan
from loadgen.model.records import ABSENT
from loadgen.swarm.class_runner import ScenarioClassRunner, SwarmClassRunner
from loadgen.wire.route import Route
from tests.support.fake_swarm import plan, until
from tests.support.processes import read_request, scripted_server

LOAD = {"block_ns": 150_000_000, "warmup_ns": 20_000_000, "think_ns": 1_000_000}


class Hello:
    """Answers every request, one with 404 after each nine. requests: how many it had."""

    def __init__(self) -> None:
        self.requests = 0

    def __call__(self, connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            self.requests += 1
            status = "404 No" if self.requests % 10 == 0 else "200 OK"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\nhello".encode())


@pytest.fixture
def server() -> Hello:
    return Hello()


@pytest.fixture
def planned(server: Hello) -> Iterator[Plan]:
    with scripted_server(server) as port:
        yield plan("persistent,close", f"http://127.0.0.1:{port}/", **LOAD)


def route(planned: Plan) -> Route:
    return Route.of(planned)


def block(planned: Plan, index: int, policy: str) -> Block:
    return Block(index, index // 2, next(cell for cell in planned.cells if cell.name == policy))


def facts_in(folder: Path) -> list[dict[str, Any]]:
    """The blocks that lie there, each as it was noted last."""
    lines = [json.loads(line) for path in folder.glob("*blocks*") for line in path.read_text("utf-8").splitlines()]
    return list({one["index"]: one for one in lines}.values())


def test_a_block_of_a_swarm_class_is_recorded_and_counted_for_locust(
    planned: Plan, server: Hello, tmp_path: Path
) -> None:
    events: list[dict[str, Any]] = []
    runner = SwarmClassRunner(planned, route(planned), tmp_path / "p", events.append, False)
    total = 0
    for index, policy in enumerate(("persistent", "close")):
        facts = runner.run(block(planned, index, policy), users=3)
        assert facts is not None
        report, found = runner.block_reports(facts, True)
        assert report is not None
        figures = found[ABSENT]
        assert report["block"]["policy"] == facts["policy"] == policy
        assert report["block"]["whole"]
        opened = report["block"]["connections"]["opened"]
        assert opened == 3 if policy == "persistent" else opened >= figures["count"]
        assert 0 < report["started"] <= figures["count"]
        assert sum(figures["failures"].values()) == figures["failures"]["404"]
        assert sum(figures["times_ms"].values()) == figures["count"]
        total += figures["count"]
    runner.close()
    # The first request is the engine's look at the target before the load.
    assert total <= server.requests <= total + 1
    assert "observed" in {key for event in events for key in event}


def test_without_users_there_is_no_block(planned: Plan, server: Hello, tmp_path: Path) -> None:
    runner = SwarmClassRunner(planned, route(planned), tmp_path / "p", lambda event: None, False)
    assert runner.run(block(planned, 0, "close"), users=0) is None
    runner.close()
    assert server.requests == 0


def test_without_a_wish_for_reports_there_are_only_figures(planned: Plan, tmp_path: Path) -> None:
    runner = SwarmClassRunner(planned, route(planned), tmp_path / "p", lambda event: None, False)
    facts = runner.run(block(planned, 0, "persistent"), users=1)
    assert facts is not None
    report, figures = runner.block_reports(facts, False)
    assert report is None
    assert set(figures) == {ABSENT}
    runner.close()


def test_a_cut_block_is_not_whole(tmp_path: Path, server: Hello) -> None:
    with scripted_server(server) as port:
        long = plan("persistent", f"http://127.0.0.1:{port}/", **{**LOAD, "block_ns": 60_000_000_000})
        runner = SwarmClassRunner(long, route(long), tmp_path / "p", lambda event: None, False)
        running = gevent.spawn(runner.run, block(long, 0, "persistent"), 1)
        until(lambda: server.requests > 5)
        runner.cut_block()
        facts = running.get(timeout=10)
        runner.close()
    assert facts["whole"] is False


def test_a_target_that_is_not_there_is_a_warning_and_counted(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        silent = plan("persistent", f"http://127.0.0.1:{taken.getsockname()[1]}/", **LOAD)
        events: list[dict[str, Any]] = []
        runner = SwarmClassRunner(silent, route(silent), tmp_path / "p", events.append, False)
        facts = runner.run(block(silent, 0, "persistent"), users=1)
        assert facts is not None
        report, figures = runner.block_reports(facts, True)
        runner.close()
    assert report is not None
    assert set(report["errors"]) == set(figures[ABSENT]["failures"]) == {"connect_refused"}
    assert any("warning" in event for event in events)


def test_a_block_of_a_scenario_is_a_stretch_of_its_requests(planned: Plan, server: Hello, tmp_path: Path) -> None:
    runner = ScenarioClassRunner(planned, route(planned), tmp_path / "p", "persistent")
    client = runner.client_pool.new_client()

    def scenario() -> None:
        while True:
            client.call("GET", "/")

    user = gevent.spawn(scenario)
    reports = []
    for index in range(2):
        facts = runner.run(block(planned, index, "persistent"), users=1)
        assert facts is not None
        warmup_ns = facts["window_begun_ns"] - facts["begun_ns"]
        assert warmup_ns == (LOAD["warmup_ns"] if index == 0 else 0)  # requests go on: only the first has a warm-up
        assert (facts["whole"], facts["continuous"]) == (True, True)
        report, figures = runner.block_reports(facts, True)
        assert figures == {}  # Locust has heard of each request
        reports.append(report)
    runner.cut_block()
    facts = runner.run(block(planned, 2, "persistent"), users=1)
    assert facts is not None
    assert facts["whole"] is False
    assert runner.block_reports(facts, False) == (None, {})
    user.kill()
    client.leave()
    runner.close()
    assert all(report is not None and report["started"] > 0 for report in reports)


def test_deviations_and_unasked_bytes_are_facts_of_a_scenario_s_block(tmp_path: Path) -> None:
    answers = (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"HTTP/1.1 204 No Content\r\n\r\nhello")

    def script(connection: socket.socket, _number: int) -> None:
        for answer in answers:
            read_request(connection)
            connection.sendall(answer)
        connection.recv(1)  # the client closes

    with scripted_server(script) as port:
        odd = plan("persistent", f"http://127.0.0.1:{port}/", **LOAD)
        runner = ScenarioClassRunner(odd, route(odd), tmp_path / "p", "persistent")
        client = runner.client_pool.new_client()
        results = [client.call("GET", "/") for _ in range(4)]
        runner.cut_block()
        facts = runner.run(block(odd, 0, "persistent"), users=1)
        client.leave()
        runner.close()
    assert [(one.status, one.body) for one in results] == [(200, b"hello"), (204, b"")] * 2
    assert facts is not None
    assert facts["lenient"] == {"bare_lf": 2}
    assert facts["unasked_bytes"] == {"connections": 2, "example": "5 bytes after a 204: b'hello'"}


def test_each_block_says_which_machine_s_clock_it_has(planned: Plan, tmp_path: Path) -> None:
    runner = SwarmClassRunner(planned, route(planned), tmp_path / "p", lambda event: None, False)
    runner.run(block(planned, 0, "persistent"), users=1)
    runner.close()
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "p").iterdir() if path.suffix.startswith(".json"))
    assert boot_id in text


def test_a_scenarios_connections_and_requests_are_counted_by_address(tmp_path: Path, server: Hello) -> None:
    """A connection that outlives its block counts in the block in which it was opened; those of all origins count."""
    with scripted_server(server) as port:
        spread = Addressing(resolve=(parse_resolve_rule(f"*:{port}:127.0.0.1"),), addresses="all")
        found = replace(plan("persistent", f"http://h.test:{port}/", **LOAD), addressing=spread)
        runner = ScenarioClassRunner(found, route(found), tmp_path / "p", "persistent")
        clients = [runner.client_pool.new_client() for _ in range(2)]
        counted = []
        elsewhere = runner.origin_pools.of(f"http://i.test:{port}").new_client(user=7)
        for index, callers in enumerate((clients[:1], clients, [*clients, elsewhere])):
            for client in callers:
                client.call("GET", "/")
            runner.cut_block()
            facts = runner.run(block(found, index, "persistent"), users=2)
            assert facts is not None
            one = facts["balance"]["addresses"][f"127.0.0.1:{port}"]
            counted.append((sum(one["connections"]), sum(one["requests"])))
        runner.close()
    assert counted == [(1, 1), (1, 2), (1, 3)]
    assert server.requests == 6
