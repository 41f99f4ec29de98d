"""Which policies have several addresses or backends, and what a chart shows of each. Draws nothing."""

from __future__ import annotations

from loadgen.model.balance_summary import BalanceInterval, BalanceSummary
from loadgen.model.characters import visible
from loadgen.model.summary import Summary
from loadgen.show.ordering import policies_in_order

MAX_POLICIES, MAX_PLACES = 4, 8


def balances(summary: Summary) -> list[tuple[str, BalanceSummary]]:
    """Of the policies that are drawn: those with several addresses or backends."""
    found = [(name, one.get("balance")) for name, one in policies_in_order(summary)]
    return [(name, one) for name, one in found if one and len(places(one)) > 1][:MAX_POLICIES]


def places(one: BalanceSummary) -> list[str]:
    """What gets a bar of its own: backends where they say who they are, else addresses."""
    if one["backends"]:
        return [visible(backend["backend"]) or "(no field)" for backend in one["backends"]]
    return [address["address"] for address in one["addresses"]]


def requests_of(one: BalanceSummary, interval: BalanceInterval) -> list[int]:
    """The requests of each place in an interval."""
    return interval["backends"] if one["backends"] else interval["requests"]


def evenness_of(one: BalanceSummary) -> float | None:
    """Jain's index of the places' requests; None where there are not two."""
    return one["evenness"]["backends" if one["backends"] else "requests"]
