"""What the chart of backends over time is drawn from, as JSON: how many requests each had, bar by bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadgen.model.balance_summary import BalanceSummary
from loadgen.model.summary import Summary
from loadgen.show.balances import balances, evenness_of, places, requests_of
from loadgen.show.export.scripts import ChartData

_MAX_PLACES = 7  # as there are colours
_MAX_BARS = 60
"""Of more intervals several make a bar."""


def balance_data(summary: Summary, numbers: Mapping[str, int]) -> list[ChartData]:
    """Of each policy with several addresses or backends; empty where there is none.

    numbers: the policies' places in the data. A bar: `[round, requests of each place]`, the round counted from 1. The
    places are the same for all, so that each has one colour.
    """
    found = [(name, one) for name, one in balances(summary) if name in numbers]
    names = sorted({place for _, one in found for place in places(one)})
    return [
        {"policy": numbers[name], "places": _shown(names), "evenness": evenness_of(one), "bars": _bars(one, names)}
        for name, one in found
    ]


def _shown(names: Sequence[str]) -> list[str]:
    if len(names) <= _MAX_PLACES:
        return list(names)
    return [*names[: _MAX_PLACES - 1], f"{len(names) - _MAX_PLACES + 1} others"]


def _bars(one: BalanceSummary, names: Sequence[str]) -> list[list[int | list[int]]]:
    own = {name: place for place, name in enumerate(places(one))}
    filled = [
        (interval["round"] + 1, counts) for interval in one["intervals"] if sum(counts := requests_of(one, interval))
    ]
    size = -(-len(filled) // _MAX_BARS)
    bars: list[list[int | list[int]]] = []
    for first in range(0, len(filled), size or 1):
        part = filled[first : first + size]
        counts = [sum(each[own[name]] for _, each in part) if name in own else 0 for name in names]
        if len(counts) > _MAX_PLACES:
            counts = [*counts[: _MAX_PLACES - 1], sum(counts[_MAX_PLACES - 1 :])]
        bars.append([part[0][0], counts])
    return bars
