"""Tables of how connections and requests are spread over the target's addresses, and over the backends behind it."""

from __future__ import annotations

from loadgen.model.balance_summary import BalanceSummary
from loadgen.model.summary import Summary
from loadgen.model.units import share_text
from loadgen.show.formatting import ABSENT
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Row, Table

_HEADINGS = ("policy", "where", "connections", "requests", "share", "failed", "evenness")


def balance(summary: Summary) -> Table:
    """A row for each address and each backend of a policy; no rows where there is one of each."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        found = one.get("balance")
        if found:
            rows += _addresses(name, found)
            rows += _backends(name, found)
    return Table(_HEADINGS, rows)


def balance_note(_: Summary) -> str:
    return (
        "Warm-up included, as the servers' logs have it. Evenness is Jain's index of the requests: 1 where all have "
        "the same, 1/n where one of n has all."
    )


def _addresses(name: str, found: BalanceSummary) -> list[Row]:
    total = sum(one["requests"] for one in found["addresses"])
    evenness = _evenness(found["evenness"]["requests"])
    return [
        (
            name, one["address"], f"{one['connections']:,}", f"{one['requests']:,}", _share(one["requests"], total),
            f"{one['failed']:,}", evenness,
        )
        for one in found["addresses"]
    ]  # fmt: skip


def _backends(name: str, found: BalanceSummary) -> list[Row]:
    total = sum(one["requests"] for one in found["backends"])
    evenness = _evenness(found["evenness"]["backends"])
    return [
        (
            name, f"backend {one['backend'] or '(no field)'}", ABSENT, f"{one['requests']:,}",
            _share(one["requests"], total), ABSENT, evenness,
        )
        for one in found["backends"]
    ]  # fmt: skip


def _share(part: int, whole: int) -> str:
    return share_text(part / whole) if whole else ABSENT


def _evenness(index: float | None) -> str:
    if index is None:
        return ABSENT
    text = f"{index:.2f}"
    return ">0.99" if text == "1.00" and index < 1 else text
