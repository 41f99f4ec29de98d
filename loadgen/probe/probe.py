"""What a probe is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from loadgen.model.plan import Plan
from loadgen.model.run_record import RunWarning


class Probe(Protocol):
    """Finds out one thing about target or proxy."""

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
