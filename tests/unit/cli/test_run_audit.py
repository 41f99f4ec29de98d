"""The audit before a run's load: what it keeps, and how it ends."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import experiment, run_audit
from loadgen.cli.experiment import Experiment
from loadgen.cli.run_audit import audit_before_load
from loadgen.cli.run_validation import recorded_run
from loadgen.cli.signals import Interruption
from loadgen.measure.data.store import RunStore
from loadgen.model.audit import AuditRecord
from loadgen.model.cell import Axes
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.typed_json import misfit
from loadgen.probe.registry import choose
from tests.support.audit_records import audit_record
from tests.support.processes import HELLO, read_request, scripted_server
from tests.support.runner import run_cli


def hello(connection: socket.socket, _number: int) -> None:
    while read_request(connection):
        connection.sendall(HELLO)


@pytest.fixture
def choosing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leaves a few probes, which take no time."""
    return lambda *names: monkeypatch.setattr(run_audit, "quick_probes", lambda: choose(names, ()))


def plan_for(port: int) -> Plan:
    return Plan(parse_target(f"http://127.0.0.1:{port}/"), parse_policies("persistent"))


def test_findings_are_kept_and_what_happened_on_connections_is_not(choosing: Any) -> None:
    choosing("persistent_by_default")
    with scripted_server(hello) as port:
        found = audit_before_load(plan_for(port), quiet=True)
    assert found is not None
    assert misfit(found, AuditRecord) == ""
    assert found["findings"]["persistent_by_default"]["verdict"] == "ok"
    assert "traces" not in found


def test_a_sweep_of_sizes_is_audited_at_the_first_size(choosing: Any) -> None:
    choosing("http11")
    asked: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            asked.append(request.split(b" ")[1])
            connection.sendall(HELLO)

    with scripted_server(script) as port:
        target = parse_target(f"http://127.0.0.1:{port}/?size={{size}}")
        audit_before_load(Plan(target, parse_policies("close"), axes=Axes(size=(7, 9))), quiet=True)
    assert set(asked) == {b"/?size=7"}


def test_where_no_connection_can_be_opened_the_load_says_so(
    choosing: Any, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    choosing("persistent_by_default")
    assert audit_before_load(plan_for(closed_port), quiet=False) is None
    said = capsys.readouterr().err
    assert "loadgen: no audit: http://127.0.0.1" in said
    assert "Connection refused" in said


def test_ctrl_c_ends_the_run_with_the_audit(choosing: Any) -> None:
    choosing("idle_timeout")

    def interrupting(connection: socket.socket, number: int) -> None:
        if number == 3:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        hello(connection, number)

    with scripted_server(interrupting) as port, pytest.raises(Interruption):
        audit_before_load(plan_for(port), quiet=True)


def test_a_dry_run_says_that_it_comes_first() -> None:
    done = run_cli("compare", "--probe", "--users", "1", "--rounds", "1", "--dry-run")
    assert done.stdout.startswith("audit: up to 20 s")
    assert "audit" not in run_cli("compare", "--users", "1", "--rounds", "1", "--dry-run").stdout


@pytest.mark.parametrize(("audits", "asked"), [(True, 1), (False, 0)])
def test_an_audit_lies_with_the_run_and_a_resumed_one_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audits: bool, asked: int
) -> None:
    """Fakes: the audit and the workers."""
    calls: list[Plan] = []

    def found(plan: Plan, *, quiet: bool) -> AuditRecord:
        calls.append(plan)
        return audit_record({}, url="new" if quiet else "")

    def workers(jobs: list[tuple[Path, dict[str, Any]]], *_: Any) -> list[dict[str, Any]]:
        (jobs[0][0] / "exchanges.rows").touch()
        return [{"end": "done"}]

    monkeypatch.setattr(run_audit, "audit_before_load", found)
    monkeypatch.setattr(experiment, "run_workers", workers)
    monkeypatch.setattr(experiment, "finish", lambda *_, **__: None)
    facts: Any = {"name": "run", "environment": {"audit": audit_record({}, url="old")}, "notes": []}
    store = RunStore.create(tmp_path / "run")
    Experiment(plan_for(1), store, facts, is_new=True, quiet=True, draws=False, audits=audits).run()
    assert len(calls) == asked
    assert store.load_run()["environment"]["audit"]["url"] == ("new" if audits else "old")


def test_a_record_with_an_audit_that_was_edited_is_refused() -> None:
    facts = {"name": "run", "plan": {}, "environment": {"audit": {"findings": []}}, "notes": []}
    with pytest.raises(PlanError, match=r"run\.json holds no whole run: audit has no"):
        recorded_run(facts, "run.json")
