"""The audit of the target in Locust's web UI: one at a time, never beside a run."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.registry import choose
from loadgen.swarm import target_audit
from loadgen.swarm.target_audit import TargetAudit
from tests.support.fake_swarm import plan as load_plan
from tests.support.processes import HELLO, read_request, scripted_server


def hello(connection: socket.socket, _number: int) -> None:
    while read_request(connection):
        connection.sendall(HELLO)


def plan_of(host: str) -> AuditPlan:
    return AuditPlan(target=parse_target(host), idle_max_ns=60 * NS_PER_S)


@pytest.fixture(autouse=True)
def two_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_audit, "PROBES", tuple(choose(["persistent_by_default", "idle_timeout"], ())))


def wait_for(audit: TargetAudit, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    with gevent.Timeout(20):
        while not condition(audit.view()):
            gevent.sleep(0.01)
    return audit.view()


def test_it_runs_shows_how_far_it_is_and_can_be_stopped() -> None:
    with scripted_server(hello) as port:
        audit = TargetAudit(plan_of, lambda: False)
        assert audit.view()["state"] == "idle"
        assert audit.start(f"http://127.0.0.1:{port}/") == ""
        assert audit.is_running
        shown = wait_for(audit, lambda view: "1 of 2 known" in view["progress"])
        assert shown["state"] == "running"
        assert audit.start("http://127.0.0.1/") == "an audit is on"
        audit.stop()
        shown = wait_for(audit, lambda view: view["state"] == "finished")
    assert shown["counts"] == "1 ok, 1 unknown"
    assert [group["title"] for group in shown["groups"]] == ["Persistent connections", "Idle timeouts"]
    assert len(shown["groups"][0]["rows"][0]) == len(shown["headings"])
    assert audit.record is not None
    assert audit.record["end"] == "interrupted"


def test_before_a_load_it_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, closed_port: int
) -> None:
    caplog.set_level("INFO", "loadgen.swarm.target_audit")
    monkeypatch.setattr(target_audit, "quick_probes", lambda: choose(["persistent_by_default"], ()))
    audit = TargetAudit(plan_of, lambda: False)
    with scripted_server(hello) as port:
        loaded = load_plan(url=f"http://127.0.0.1:{port}/")
        audit.before_load(loaded)
    found = audit.of_run(loaded)
    assert found is not None
    assert "traces" not in found
    assert found["findings"]["persistent_by_default"]["verdict"] == "ok"
    assert "the audit found 1 ok" in caplog.text
    elsewhere = load_plan(url=f"http://127.0.0.1:{closed_port}/")
    assert audit.of_run(elsewhere) is None
    audit.before_load(elsewhere)
    assert "no connection could be opened" in caplog.text


def test_who_waits_for_it_may_be_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_audit, "quick_probes", lambda: choose(["idle_timeout"], ()))
    audit = TargetAudit(plan_of, lambda: False)
    with scripted_server(hello) as port:
        waiting = gevent.spawn(audit.before_load, load_plan(url=f"http://127.0.0.1:{port}/"))
        wait_for(audit, lambda view: view["state"] == "running")
        waiting.kill()
    assert (audit.is_running, audit.record) == (False, None)


def test_never_beside_a_run_and_never_of_what_is_no_host() -> None:
    assert TargetAudit(plan_of, lambda: True).start("http://127.0.0.1/").startswith("a run is on")

    def refuses(host: str) -> AuditPlan:
        raise PlanError(f"{host!r} has no scheme")

    assert TargetAudit(refuses, lambda: False).start("x") == "'x' has no scheme"


def test_two_presses_at_the_same_moment_start_one() -> None:
    def plan(host: str) -> AuditPlan:
        gevent.sleep(0.01)  # as a target of our own takes to start
        return plan_of(host)

    with scripted_server(hello) as port:
        audit = TargetAudit(plan, lambda: False)
        presses = [gevent.spawn(audit.start, f"http://127.0.0.1:{port}/") for _ in range(2)]
        assert sorted(one.get() for one in presses) == ["", "an audit is on"]
        audit.stop()
        wait_for(audit, lambda view: view["state"] == "finished")


def test_a_target_that_cannot_be_reached_is_said(closed_port: int) -> None:
    audit = TargetAudit(plan_of, lambda: False)
    assert audit.start(f"http://127.0.0.1:{closed_port}/") == ""
    shown = wait_for(audit, lambda view: view["state"] == "failed")
    assert "no connection could be opened" in shown["message"]
    assert not audit.is_running
