"""Probes: each finds out one thing about target or proxy with a few requests of its own, before or without a load.

A new probe is a file here and a row in PROBES. Its findings go into the environment of the run, so that its warnings
can be written anew from `results/<run>/` alone. A probe may measure time, and stands on the transports of wire and
drive; it makes no load, and knows neither the shell nor how a finding is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from loadgen.model.plan import Plan
from loadgen.model.run_record import EnvironmentRecord, RunWarning
from loadgen.probe.hop_by_hop import HopByHop
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (HopByHop(),)


def run_probes(plan: Plan, environment: EnvironmentRecord) -> None:
    """Run the probes that apply, and add what they find to their sections of the environment, under their names.

    What the environment of a resumed run has already is kept.
    """
    sections = cast(dict[str, Any], environment)  # a probe's section is a value, which no type checker can follow
    if plan.proxy is not None:
        sections.setdefault("proxy", {"address": str(plan.proxy)})
    for probe in PROBES:
        if probe.applies(plan):
            section = sections.setdefault(probe.section, {})
            if probe.name not in section:
                section[probe.name] = probe.run(plan)


def probe_warnings(environment: EnvironmentRecord | Mapping[str, Any]) -> list[RunWarning]:
    """The warnings of all findings in a run's environment, which may come from another version or a text editor."""
    warnings: list[RunWarning] = []
    for probe in PROBES:
        section = environment.get(probe.section)
        found = section.get(probe.name) if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(found, dict):
            warnings += probe.warnings(found, section)
    return warnings
