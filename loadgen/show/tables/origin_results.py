"""The table of several origins (`--urls`): the requests, connections and handshakes of each."""

from __future__ import annotations

from loadgen.model.summary import Summary
from loadgen.model.units import share_text
from loadgen.show.formatting import duration, integer
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Row, Table

_HEADINGS = ("policy", "origin", "requests", "failed", "opened", "per connection", "reused", "handshake", "mean", "p99")


def origins(summary: Summary) -> Table:
    """A row for each origin of each policy; no rows where there is one origin."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        for origin in one.get("by_origin") or ():
            connections, times = origin["connections"], origin["latency_ns"]
            rows.append(
                (
                    name,
                    origin["origin"],
                    *map(integer, (origin["requests"], origin["failed"], connections["opened"])),
                    f"{connections['requests_per_connection']:,.1f}",
                    share_text(connections["reuse_ratio"]),
                    *map(duration, (origin["handshake_ns"]["mean"], times["mean"], times["p99"])),
                )
            )
    return Table(_HEADINGS, rows)


def origins_note(_: Summary) -> str:
    return "Opened, and requests per connection: warm-up included. Handshake: the mean of the connections that had one."
