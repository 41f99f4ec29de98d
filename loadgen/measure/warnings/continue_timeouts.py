"""Warnings about requests whose bodies waited for 100 Continue. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import count, duration_text
from loadgen.model.warning_codes import WarningCode


def continue_warnings(summary: PolicySummary, timeout_ns: int) -> Iterator[tuple[WarningCode, str]]:
    """A server that never says 100 Continue."""
    found = summary.get("continues")
    if found and found["timed_out"] and not found["received"]:
        yield (
            WarningCode.CONTINUE_IGNORED,
            f"100 Continue never came: the bodies of {count(found['timed_out'], 'request')} waited "
            f"{duration_text(timeout_ns)} in vain, warm-up included",
        )
