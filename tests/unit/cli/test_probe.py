"""`loadgen probe` as far as it needs no server."""

from __future__ import annotations

import pytest

from loadgen.cli.audit_console import show_cost
from loadgen.model.target import parse_target
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from tests.support.runner import run_cli


def test_list_names_each_probe() -> None:
    done = run_cli("probe", "--list")
    assert done.code == 0
    assert "persistent_by_default" in done.stdout


def test_options_that_contradict_each_other() -> None:
    done = run_cli("probe", "--json", "--markdown")
    assert (done.code, done.stdout) == (2, "")
    assert "--json and --markdown both print" in done.stderr


def _never(_session: ProbeSession) -> Finding:
    raise AssertionError("it is not run")


def test_the_cost_is_said_beforehand(capsys: pytest.CaptureFixture[str]) -> None:
    probe = Probe(name="x", title="X", question="X?", method="X.", section="", requests=1000, connections=4, run=_never)
    show_cost(Audit(AuditPlan(target=parse_target("http://127.0.0.1/")), [probe]))
    assert (
        "1 probes of http://127.0.0.1/: at most 1,003 requests on 7 connections within 120 s" in capsys.readouterr().err
    )
