"""The verdict's clause on a run that went on until its ratios were known well enough. Decides no end."""

from __future__ import annotations

from loadgen.model.run_record import RunWarning
from loadgen.model.summary import PrecisionSummary
from loadgen.model.units import count, margin_text
from loadgen.model.warning_codes import WarningCode


def precision_clauses(precision: PrecisionSummary | None, found: list[RunWarning], policies: int) -> list[str]:
    """None or one. found: the run's warnings. policies: how many there are."""
    if precision is None:
        return []
    if precision["half_width"] is None or not precision["is_reached"]:
        return [one["message"] for one in found if one["code"] == WarningCode.PRECISION_NOT_REACHED]
    ratio = "each ratio" if policies > 2 else "the ratio"
    rounds, margin = count(precision["rounds"], "round"), margin_text(precision["half_width"])
    return [f"the run stopped after {rounds}, when {ratio} was known within {margin}"]
