"""Warnings about unusual responses: accepted deviations, and bytes that belong to none. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.leniency import Leniency
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode

_SECTIONS = {leniency.label: leniency.section for leniency in Leniency}


def response_warnings(summary: PolicySummary) -> Iterator[tuple[WarningCode, str]]:
    """Deviations from HTTP/1.1, and bytes that no request asked for."""
    found = summary["lenient"]
    if found:
        listed = ", ".join(
            f"{label} in {count(times, 'response')} ({_SECTIONS.get(label, 'no longer known')})"
            for label, times in found.items()
        )
        yield (
            WarningCode.LENIENT,
            f"responses that deviate from HTTP/1.1 were accepted, as a client may do, warm-up included: {listed}",
        )
    unasked = summary["unasked_bytes"]
    if unasked["connections"]:
        number = unasked["connections"]
        yield (
            WarningCode.UNASKED_BYTES,
            f"the server sent bytes that no request asked for on {count(number, 'connection')}, which "
            f"{'was' if number == 1 else 'were'} closed: {unasked['example']}",
        )
