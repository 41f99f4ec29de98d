"""A probe is one row of RUN_PROBES: what it finds goes into the run's environment, and its warnings come from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest

from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.run_record import RunWarning
from loadgen.model.target import parse_target
from loadgen.probe import before_load
from loadgen.probe.before_load import RUN_PROBES, RunProbe, probe_warnings, run_probes

PLAN = Plan(parse_target("http://h/"), parse_policies("persistent"))


class Port:
    """A probe that any newcomer could write."""

    name = "port"
    section: Literal["target"] = "target"

    def __init__(self) -> None:
        self.runs = 0

    def applies(self, plan: Plan) -> bool:
        return not plan.target.is_tls

    def run(self, plan: Plan) -> Mapping[str, Any]:
        self.runs += 1
        return {"number": plan.target.port}

    def warnings(self, found: Mapping[str, Any], section: Mapping[str, Any]) -> list[RunWarning]:
        return [{"code": "port", "message": f"{section.get('address')} has port {found['number']}"}]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Port:
    probe = Port()
    added: RunProbe = probe
    monkeypatch.setattr(before_load, "RUN_PROBES", (added,))  # the others would send requests
    return probe


def test_a_new_probe_is_run_and_warns(port: Port) -> None:
    environment: dict[str, Any] = {"target": {"address": "h"}}
    run_probes(PLAN, environment)
    assert environment == {"target": {"address": "h", "port": {"number": 80}}}
    assert probe_warnings(environment) == [{"code": "port", "message": "h has port 80"}]


def test_what_is_known_is_not_asked_again(port: Port) -> None:
    environment: dict[str, Any] = {}
    run_probes(PLAN, environment)
    run_probes(PLAN, environment)
    assert port.runs == 1


def test_a_probe_that_does_not_apply_leaves_no_trace(port: Port) -> None:
    environment: dict[str, Any] = {}
    run_probes(Plan(parse_target("https://h/"), parse_policies("persistent")), environment)
    assert environment == {}
    assert port.runs == 0


@pytest.mark.parametrize("environment", [{}, {"target": None}, {"target": {"port": 5}}, {"target": {}}, {"proxy": []}])
def test_an_environment_of_another_version_warns_of_nothing(port: Port, environment: dict[str, Any]) -> None:
    assert probe_warnings(environment) == []


def test_the_names_are_unique() -> None:
    assert len({(probe.section, probe.name) for probe in RUN_PROBES}) == len(RUN_PROBES)
