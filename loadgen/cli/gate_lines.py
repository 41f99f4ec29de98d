"""What the shell says of gates that failed, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable

from loadgen.cli import EXIT_DONE, EXIT_GATE
from loadgen.cli.stdio import print_error
from loadgen.model.gate_summary import GateSummary


def report_gates(gates: Iterable[GateSummary]) -> int:
    """Print a line for each gate that failed; returns the exit code."""
    failed = [gate for gate in gates if not gate["passed"]]
    for gate in failed:
        print_error(f"gate failed: {gate['expression']}: {gate['message']}")
    return EXIT_GATE if failed else EXIT_DONE
