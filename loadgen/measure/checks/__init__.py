"""Self-checks: a run tests what its own numbers rest on. A registry, one file a check.

Knows no verdict and no page: what the checks found is in the summary, and each that failed is a warning.
"""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.measure.checks.arrivals import ARRIVALS
from loadgen.measure.checks.check import Check, CheckedRun
from loadgen.measure.checks.dependence import DEPENDENCE
from loadgen.measure.checks.generator_share import GENERATOR_SHARE
from loadgen.measure.checks.order import ORDER
from loadgen.measure.checks.stationarity import STATIONARITY
from loadgen.model.check_summary import CheckSummary
from loadgen.model.run_record import RunWarning

# In the order of the report's table.
CHECKS: Sequence[Check] = (ARRIVALS, GENERATOR_SHARE, STATIONARITY, ORDER, DEPENDENCE)


def checked(run: CheckedRun) -> tuple[list[CheckSummary], list[RunWarning]]:
    """What each check that applies found, and a warning for each that failed, unless it has one already."""
    checks: list[CheckSummary] = []
    warnings: list[RunWarning] = []
    for check in CHECKS:
        found = check.run(run)
        if not found.results:
            continue
        passed = found.passed
        checks.append({
            "name": check.name,
            "question": check.question,
            "error_rate": check.error_rate,
            "passed": passed,
            "message": found.message,
            "action": check.action if passed is False else "",
            "results": found.results,
        })  # fmt: skip
        if passed is False and check.code is not None and not found.has_warning:
            warnings.append({"code": check.code.value, "message": found.message})
    return checks, warnings
