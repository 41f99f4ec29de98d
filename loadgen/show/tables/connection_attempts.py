"""The table of races to connect (Happy Eyeballs): what was tried, what was lost, and what that cost."""

from __future__ import annotations

from loadgen.model.summary import Summary
from loadgen.show.formatting import duration, integer
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Table

_HEADINGS = (
    "policy", "connections", "attempts", "lost", "of these connected", "won by IPv6", "by IPv4", "later than the first",
    "mean wait for it", "its own connect",
)  # fmt: skip


def races(summary: Summary) -> Table:
    """A row for each policy; no rows where connections tried one address."""
    return Table(
        _HEADINGS,
        [
            (
                name,
                *map(integer, (found["races"], found["attempts"], found["lost"], found["lost_connected"])),
                *map(integer, (found["won_ipv6"], found["won_ipv4"], found["delayed"])),
                *map(duration, (found["delay_mean_ns"], found["connect_mean_ns"])),
            )
            for name, one in policies_in_order(summary)
            if (found := one["connections"].get("races"))
        ],
    )


def races_note(_: Summary) -> str:
    return (
        "Happy Eyeballs (RFC 8305), warm-up included. The phase connect lasts from the first attempt to the winner's "
        "answer, as the client waits for it: the wait for the attempts before the winner, and the winner's own connect."
    )
