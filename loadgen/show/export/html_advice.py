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
    """A heading and a paragraph for each code of warnings, those with something to do first."""
    by_code: dict[str, list[RunWarning]] = {}
    for one in sorted(summary["warnings"], key=lambda one: not _ACTIONS.get(one["code"])):
        by_code.setdefault(one["code"], []).append(one)
    shown = "".join(map(_paragraph, by_code.values())) or f"<p>{_nothing(summary)}</p>"
    return f"<h2>What to do</h2>{shown}"


def _nothing(summary: Summary) -> str:
    checks = summary.get("checks", [])
    if checks and all(one["passed"] is not False for one in checks):
        return "Nothing: the run has no warning, and none of its self-checks failed."
    return "Nothing: the run has no warning."


def _paragraph(warnings: list[RunWarning]) -> str:
    """Warnings of one code: what to do, once, and what each of them says."""
    action = _ACTIONS.get(warnings[0]["code"], "")
    first = f"<b>{with_code(action)}</b><br>" if action else ""
    said = "<br>".join(f"{escape(one['code'])}: {escape(one['message'])}" for one in warnings)
    return f"<p class=warning>{first}{said}</p>"
