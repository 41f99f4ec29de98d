"""How a run has ended that went on until its ratios were known well enough. Decides no end."""

from __future__ import annotations

from collections.abc import Collection

from loadgen.measure.stats.precision import EMPTY_ROUNDS
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import PrecisionSummary
from loadgen.model.units import count, margin_text, percent_text
from loadgen.model.warning_codes import WarningCode


def precision_warnings(
    precision: PrecisionSummary | None, policies: Collection[str], without_answer: Collection[str]
) -> list[RunWarning]:
    """At most one: that the precision was not reached. without_answer: policies that had none in the last rounds."""
    if precision is None or precision["is_reached"]:
        return []
    rounds, aim = count(precision["rounds"], "round"), f"±{percent_text(precision['aim'])}"
    if precision["half_width"] is None:
        known = f"a ratio has no interval, where {aim} was asked for"
    else:
        ratio = "each ratio" if len(policies) > 2 else "the ratio"
        known = f"{ratio} is known within {margin_text(precision['half_width'])}, not {aim}"
    if without_answer:
        last = count(min(EMPTY_ROUNDS, precision["rounds"]), "round")
        why = f"{' and '.join(without_answer)} had no complete request in the last {last}"
    elif precision["rounds"] >= precision["max_rounds"]:
        why = f"--max-time was over after {rounds}"
    else:
        why = f"the run ended after {rounds}"
    return [{"code": WarningCode.PRECISION_NOT_REACHED.value, "message": f"{why}: {known}"}]
