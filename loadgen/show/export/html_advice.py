"""What to do about a run, as its report says it: each warning, and each self-check that failed, with its advice.

Says nothing that is not in the summary or in the table of warnings.
"""

from __future__ import annotations

from loadgen.model.run_record import RunWarning
from loadgen.model.summary import Summary
from loadgen.model.warning_codes import WarningCode
from loadgen.show.export.page import escape, with_code

_ACTIONS = {code.value: code.action for code in WarningCode}


def advice_html(summary: Summary) -> str:
    """A heading and a paragraph for each warning, those with something to do first."""
    warnings = sorted(summary["warnings"], key=lambda one: not _ACTIONS.get(one["code"]))
    if not warnings:
        return f"<h2>What to do</h2><p>{_nothing(summary)}</p>"
    return "<h2>What to do</h2>" + "".join(map(_warning, warnings))


def _nothing(summary: Summary) -> str:
    checks = summary.get("checks", [])
    if checks and all(one["passed"] is not False for one in checks):
        return "Nothing: the run has no warning, and none of its self-checks failed."
    return "Nothing: the run has no warning."


def _warning(warning: RunWarning) -> str:
    action = _ACTIONS.get(warning["code"], "")
    first = f"<b>{with_code(action)}</b> " if action else ""
    return f"<p class=warning>{first}{escape(warning['code'])}: {escape(warning['message'])}</p>"
