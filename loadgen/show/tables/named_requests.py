"""The table of several requests by name (`--urls`): how many there were of each, and how long they took."""

from __future__ import annotations

from loadgen.model.summary import Summary
from loadgen.show.formatting import duration
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Row, Table

_HEADINGS = ("policy", "request", "requests", "failed", "with warm-up", "mean", "p50", "p99")


def named_requests(summary: Summary) -> Table:
    """A row for each request of each policy; no rows where there is one request."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        for request in one.get("by_name") or ():
            times = request["latency_ns"]
            counts = (
                f"{value:,}" for value in (request["requests"], request["failed"], request["answered_with_warmup"])
            )
            spans = (times["mean"], times["p50"], times["p99"])
            rows.append((name, request["name"], *counts, *map(duration, spans)))
    return Table(_HEADINGS, rows)


def named_requests_note(_: Summary) -> str:
    return "With warm-up: those that were answered, as the server's log has them."
