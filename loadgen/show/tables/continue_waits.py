"""The table of requests whose bodies waited for 100 Continue."""

from __future__ import annotations

from loadgen.model.summary import Summary
from loadgen.show.formatting import duration, integer
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Table

_HEADINGS = ("policy", "asked", "100 came", "timed out", "refused", "wait mean", "wait p50", "wait p99")


def continues(summary: Summary) -> Table:
    """A row for each policy; no rows where nothing waited."""
    return Table(
        _HEADINGS,
        [
            (
                name,
                *map(integer, (one["asked"], one["received"], one["timed_out"], one["refused"])),
                *map(duration, (waits["mean"], waits["p50"], waits["p99"])),
            )
            for name, policy in policies_in_order(summary)
            if (one := policy.get("continues"))
            for waits in [one["wait_ns"]]
        ],
    )


def continues_note(_: Summary) -> str:
    return (
        "Counts: warm-up included, as the server's log has them; the wait is that of the measured requests, and a part "
        "of their send. Refused: the response came in place of 100 Continue, so the body was not sent (RFC 9110 "
        "§10.1.1)."
    )
