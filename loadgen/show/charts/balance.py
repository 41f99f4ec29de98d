"""Whose requests they were over time: the share of each address, or of each backend behind it, interval by interval."""

from __future__ import annotations

from matplotlib.figure import Figure

from loadgen.model.summary import Summary
from loadgen.show.balances import MAX_PLACES, balances, places, requests_of
from loadgen.show.charts.chart import Chart
from loadgen.show.charts.style import new_figure, say_empty


def _draw(summary: Summary) -> Figure:
    found = balances(summary)
    figure = new_figure(
        summary,
        "Whose requests they were over time",
        "A server that gets no share is starved: connections that are kept stay where they were opened.",
        height=1.4 + 1.5 * len(found),
    )
    every = dict.fromkeys(place for _, one in found for place in places(one))
    colours = {place: f"C{number}" for number, place in enumerate(every)}  # the same under each policy
    drawn = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, one) in zip(drawn, found, strict=True):
        counts = [requests_of(one, line) for line in one["intervals"]]
        lines = [line for line in counts if sum(line)]
        if not lines:
            say_empty(axes, "no complete request to show")
            continue
        below = [0.0] * len(lines)
        for place, label in list(enumerate(places(one)))[:MAX_PLACES]:
            shares = [line[place] / sum(line) for line in lines]
            axes.bar(range(1, len(lines) + 1), shares, 1.0, bottom=below, label=label, color=colours[label])
            below = [low + share for low, share in zip(below, shares, strict=True)]
        axes.set_ylim(0, 1)
        axes.set_ylabel("share")
        axes.set_title(name, loc="left", fontsize="medium")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05))
        axes.set_xlabel(f"interval of {one['interval_ns'] / 1e9:.3g} s, in the order of the rounds")
    return figure


BALANCE = Chart("balance", _draw, lambda summary: bool(balances(summary)))
