"""Probes of a run: each finds out one thing about target or proxy, before the load.

A new one is a file here and a row in RUN_PROBES. Its findings go into the environment of the run, so that its warnings
can be written anew from `results/<run>/` alone. It makes no load, and knows neither the shell nor how a finding is
shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, cast

from loadgen.model.plan import Plan
from loadgen.model.run_record import EnvironmentRecord, RunWarning
from loadgen.probe.forwarding_proxy import ForwardingProxy


class RunProbe(Protocol):
    """Finds out one thing about target or proxy before the load of a run."""

    @property
    def name(self) -> str:
        """The key of its finding in the section."""

    @property
    def section(self) -> Literal["proxy", "target"]:
        """The section of the run's environment that it adds to."""

    def applies(self, plan: Plan) -> bool:
        """It can find out something for this plan."""

    def run(self, plan: Plan) -> Mapping[str, Any]:
        """Ask, and give the finding as JSON. A failed connection or request is a finding too, and raises nothing."""

    def warnings(self, found: Mapping[str, Any], section: Mapping[str, Any]) -> list[RunWarning]:
        """What a user must know about the finding. section: what else is known of proxy or target."""


RUN_PROBES: tuple[RunProbe, ...] = (ForwardingProxy(),)


def run_probes(plan: Plan, environment: EnvironmentRecord) -> None:
    """Run the probes that apply, and add what they find to their sections of the environment, under their names.

    What the environment of a resumed run has already is kept.
    """
    sections = cast(dict[str, Any], environment)  # a probe's section is a value, which no type checker can follow
    if plan.used_proxy is not None:
        sections.setdefault("proxy", {"address": str(plan.used_proxy)})
    for probe in RUN_PROBES:
        if probe.applies(plan):
            section = sections.setdefault(probe.section, {})
            if probe.name not in section:
                section[probe.name] = probe.run(plan)


def probe_warnings(environment: EnvironmentRecord | Mapping[str, Any]) -> list[RunWarning]:
    """The warnings of all findings in a run's environment, which may come from another version or a text editor."""
    warnings: list[RunWarning] = []
    for probe in RUN_PROBES:
        section = environment.get(probe.section)
        found = section.get(probe.name) if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(found, dict):
            warnings += probe.warnings(found, section)
    return warnings
