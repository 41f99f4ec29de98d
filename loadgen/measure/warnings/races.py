"""The warning that races to connect (Happy Eyeballs) are won by a later attempt than the first. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import format_duration
from loadgen.model.warning_codes import WarningCode

_SHARE = 0.1
"""Of the races: fewer may be a lost packet now and then."""


def race_warnings(summary: PolicySummary) -> Iterator[tuple[WarningCode, str]]:
    """Warnings about one policy."""
    found = summary["connections"].get("races")
    if not found or not found["delayed"] or found["delayed"] <= _SHARE * found["races"]:
        return
    won = found["won_ipv4"] + found["won_ipv6"]
    mean_ns = round((found["delay_mean_ns"] or 0) * won / found["delayed"])
    yield (
        WarningCode.FIRST_ADDRESS_LOSES,
        f"{found['delayed']:,} of {found['races']:,} connections were won by another address than the first that was "
        f"tried, {format_duration(mean_ns)} after it on average: that time is in connect, and a client that tries one "
        "address alone would have waited longer, or failed",
    )
