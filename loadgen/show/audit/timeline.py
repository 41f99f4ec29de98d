"""The picture of an audit's connections: one line for each, with what was sent, what came, and who closed it.

Connections of one check stand together. Time runs from when a connection began to open and is logarithmic, because
most live for a millisecond and those of the idle timeout for a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple, cast

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.model.audit import AuditRecord, TraceRecord
from loadgen.model.characters import visible
from loadgen.show.charts.style import BLUE, GREEN, GREY, ORANGE, STYLE, VERMILLION, log_duration_axis, shortened, spread

_MAX_LANES = 110
_BESIDE_CHECKS = {"first": "first request", "life_sign": "does it still answer?"}
"""What an audit asks beside its checks."""
_LANE_INCHES = 0.115
_GAP_LANES = 0.9
"""Between the connections of two checks, in lanes."""
_MARGIN_INCHES = 1.35
_MIN_NS = 10_000
"""Where the axis begins at the earliest: the logarithm needs a beginning."""
_MAX_LABEL = 30


class _Look(NamedTuple):
    """How one kind of event is drawn."""

    marker: str
    colour: str
    size: float
    words: str


_LOOKS = {
    "sent": _Look("|", BLUE, 22, "request bytes sent"),
    "received": _Look("|", GREEN, 22, "response bytes came"),
    "closed": _Look("d", GREY, 9, "closed by loadgen"),
    "fin": _Look("o", VERMILLION, 16, "closed by the server (FIN)"),
    "reset": _Look("X", ORANGE, 24, "reset by the server (RST)"),
}


@dataclass(frozen=True, slots=True)
class Lane:
    """One connection of the picture. y: its place, downwards."""

    y: float
    trace: TraceRecord


def chosen_traces(traces: Sequence[TraceRecord], max_lanes: int = _MAX_LANES) -> dict[str, list[TraceRecord]]:
    """The connections that are drawn, by check: all, or as many of each check as there is room for."""
    by_probe: dict[str, list[TraceRecord]] = {}
    for trace in traces:
        by_probe.setdefault(trace["probe"], []).append(trace)
    most = max((len(one) for one in by_probe.values()), default=0)
    while most > 2 and sum(min(len(one), most) for one in by_probe.values()) > max_lanes:
        most -= 1
    return {probe: spread(one, most) for probe, one in by_probe.items()}


def lanes_of(chosen: Mapping[str, Sequence[TraceRecord]]) -> dict[str, list[Lane]]:
    """Their places, from above."""
    found: dict[str, list[Lane]] = {}
    y = 0.0
    for probe, traces in chosen.items():
        found[probe] = [Lane(y + number, trace) for number, trace in enumerate(traces)]
        y += len(traces) + _GAP_LANES
    return found


def draw_timeline(audit: AuditRecord) -> bytes:
    """The picture as SVG."""
    with matplotlib.rc_context(cast(Any, STYLE)):  # matplotlib's stubs list every key, and miss some
        buffer = BytesIO()
        timeline_figure(audit).savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def timeline_figure(audit: AuditRecord) -> Figure:
    """The picture. The audit has at least one trace."""
    places = {name: place for place, name in enumerate((*_BESIDE_CHECKS, *audit["findings"]))}
    traces = sorted(audit.get("traces", []), key=lambda trace: places.get(trace["probe"], len(places)))
    lanes = lanes_of(chosen_traces(traces))
    last = max(lane.y for group in lanes.values() for lane in group)
    figure = Figure(figsize=(8.4, _MARGIN_INCHES + _LANE_INCHES * (last + 1)), layout="constrained")
    axes = figure.subplots()
    for group in lanes.values():
        for lane in group:
            _draw_life(axes, lane)
    _draw_events(axes, lanes)
    _label(axes, audit, lanes)
    axes.set_ylim(last + 1, -1)
    figure.legend(loc="outside upper left", ncols=3, fontsize=8)
    return figure


def _draw_life(axes: Axes, lane: Lane) -> None:
    """From when it was open to its end; grey while it was being opened."""
    trace = lane.trace
    since = [max(_MIN_NS, event["at_ns"] - trace["opening_ns"]) for event in trace["events"]]
    opened = next((at for at, event in zip(since, trace["events"], strict=True) if event["event"] == "opened"), None)
    last = max(since, default=_MIN_NS)
    axes.plot([_MIN_NS, last if opened is None else opened], [lane.y] * 2, color="#BBBBBB", linewidth=0.8, zorder=1)
    if opened is not None:
        axes.plot([opened, last], [lane.y] * 2, color="#9CC3DD", linewidth=1.6, zorder=1)


def _draw_events(axes: Axes, lanes: Mapping[str, Sequence[Lane]]) -> None:
    for kind, look in _LOOKS.items():
        points = [
            (max(_MIN_NS, event["at_ns"] - lane.trace["opening_ns"]), lane.y)
            for group in lanes.values()
            for lane in group
            for event in lane.trace["events"]
            if event["event"] == kind
        ]
        if points:
            x, y = zip(*points, strict=True)
            lines = 1.1 if look.marker == "|" else 0.0
            axes.scatter(
                x, y, s=look.size, c=look.colour, marker=look.marker, linewidths=lines, label=look.words, zorder=3
            )


def _label(axes: Axes, audit: AuditRecord, lanes: Mapping[str, Sequence[Lane]]) -> None:
    """The checks beside their connections, and the time below."""
    titles = {name: one["title"] for name, one in audit["findings"].items()} | _BESIDE_CHECKS
    counts: dict[str, int] = {}
    for trace in audit.get("traces", []):
        counts[trace["probe"]] = counts.get(trace["probe"], 0) + 1
    axes.set_yticks(
        [sum(lane.y for lane in group) / len(group) for group in lanes.values()],
        [_title(titles.get(name, name), len(group), counts[name]) for name, group in lanes.items()],
        fontsize=7.5,
    )
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    ends = [
        event["at_ns"] - lane.trace["opening_ns"]
        for group in lanes.values()
        for lane in group
        for event in lane.trace["events"]
    ]
    first_ns = max(_MIN_NS, min(ends, default=_MIN_NS) / 2)
    last_ns = max([10 * first_ns, *ends])
    axes.set_xscale("log")
    axes.set_xlim(first_ns, 2 * last_ns)
    log_duration_axis(axes.xaxis, first_ns, last_ns)
    axes.set_xlabel("time since the connection began to open")


def _title(title: str, drawn: int, opened: int) -> str:
    text = shortened(visible(title), _MAX_LABEL)
    return text if drawn == opened else f"{text} ({drawn} of {opened})"
