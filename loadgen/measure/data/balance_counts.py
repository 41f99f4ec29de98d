"""Adds up what several workers counted by address and backend in the same block. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from loadgen.model.block_facts import AddressChange, AddressFacts, BalanceFacts


def add_balances(counted: Iterable[BalanceFacts | None]) -> BalanceFacts | None:
    """The sum, interval by interval; None where nothing was counted. A change that several saw is there once."""
    found = [one for one in counted if one]
    if not found:
        return None
    names = list(dict.fromkeys(name for one in found for name in one["addresses"]))
    backends = list(dict.fromkeys(name for one in found for name in one["backends"]))
    return {
        "begun_ns": min(one["begun_ns"] for one in found),
        "interval_ns": found[0]["interval_ns"],
        "addresses": {name: _sum([one["addresses"].get(name) for one in found]) for name in names},
        "backends": {name: add_lists(one["backends"].get(name, []) for one in found) for name in backends},
        "changes": add_changes(one["changes"] for one in found),
    }


def add_changes(each: Iterable[Iterable[AddressChange]]) -> list[AddressChange]:
    """All of them; one that several workers saw is there once."""
    found = {
        (change.get("origin"), *map(tuple, (change["added"], change["removed"]))): change
        for changes in each
        for change in changes
    }
    return sorted(found.values(), key=lambda change: change["at_ns"])


def add_lists(lists: Iterable[list[int]]) -> list[int]:
    """Their sum, place by place."""
    return [sum(values) for values in zip_longest(*lists, fillvalue=0)]


def _sum(counted: list[AddressFacts | None]) -> AddressFacts:
    found: list[Any] = [one for one in counted if one]
    return {
        "connections": add_lists(one["connections"] for one in found),
        "requests": add_lists(one["requests"] for one in found),
        "failed": add_lists(one["failed"] for one in found),
    }
