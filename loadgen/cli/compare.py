"""`loadgen compare`: from options to a finished run in results/<run>/."""

from __future__ import annotations

from typing import Any

from loadgen.cli import EXIT_DONE
from loadgen.cli.experiment import prepare
from loadgen.cli.plan_builder import build_plan


def run(options: dict[str, Any]) -> int:
    """Run the comparison; returns the exit code. Raises PlanError or TargetError."""
    experiment = prepare(build_plan(options), options)
    return EXIT_DONE if experiment is None else experiment.run()
