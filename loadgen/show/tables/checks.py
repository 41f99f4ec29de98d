"""The table of a run's self-checks."""

from __future__ import annotations

from loadgen.model.check_summary import CheckSummary
from loadgen.model.summary import Summary
from loadgen.show.tables.table import Table

_HEADINGS = ("question", "answer", "what was found", "false alarms")
_ANSWERS = {True: "passed", False: "FAILED", None: "can't tell"}
_NOTE = (
    "False alarms: the share of sound runs in which the check fails at most. One with a limit tests nothing: it "
    "compares with a fixed value."
)


def checks(summary: Summary) -> Table:
    """One row a check; no rows for a run of an earlier version."""
    return Table(_HEADINGS, [_row(one) for one in summary.get("checks", ())])


def _row(check: CheckSummary) -> tuple[str, ...]:
    rate = check["error_rate"]
    action = f"; {check['action']}" if check["action"] else ""
    question = f"{check['question'][0].upper()}{check['question'][1:]}"
    return question, _ANSWERS[check["passed"]], check["message"] + action, "a limit" if rate is None else f"{rate:.0%}"


def checks_note(_: Summary) -> str:
    """How to read the table."""
    return _NOTE
