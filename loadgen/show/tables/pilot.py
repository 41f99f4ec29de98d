"""The table of the loads that a pilot tried."""

from __future__ import annotations

from loadgen.model.pilot_record import PilotTrial
from loadgen.model.summary import Summary
from loadgen.model.units import rate_text, share_text
from loadgen.show.formatting import ABSENT, duration
from loadgen.show.pilot_text import pilot_sentence
from loadgen.show.tables.table import Row, Table

_PILOT = ("users", "pause", "offered req/s", "median latency", "generator's CPU", "objection")


def pilot(summary: Summary) -> Table:
    """A row for each load, in the order in which they were tried; no rows where the load was given."""
    found = summary.get("pilot")
    return Table(_PILOT, [_row(one) for one in found["trials"]] if found else [])


def pilot_note(summary: Summary) -> str:
    found = summary.get("pilot")
    if not found:
        return ""
    cost = f"It took {found['seconds']:.1f} s, {found['requests']:,} requests and {found['connections']:,} connections"
    return f"P{pilot_sentence(found)[1:]}. {cost}, which are in no other table."


def _row(trial: PilotTrial) -> Row:
    offered = trial["rate_rps"]
    names = trial["policies"]
    return (
        f"{trial['users']:,}",
        duration(trial["think_ns"]) if trial["think_ns"] else ABSENT,
        ABSENT if offered is None else rate_text(offered),
        ", ".join(f"{name} {duration(one['latency_p50_ns'])}" for name, one in names.items()),
        ", ".join(f"{name} {share_text(one['cpu_share'], 0)}" for name, one in names.items()),
        trial["objection"] or ABSENT,
    )
