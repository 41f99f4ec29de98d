"""The charts of the report: figures that the page's script fills (scripts.py), and which data each is drawn from.

A picture of each chart is in its figure until the script has drawn it: what a reader without scripts sees. As many as
leave the page under 2 MB are there; the others are files of the run alone.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from loadgen.show.export.page import escape, figure_html, image, picture
from loadgen.show.export.scripts import ChartData, to_script_text

# Which data each chart is drawn from; line charts have data of their own. All others are pictures.
_DRAWN = {
    "heat_map": "heat_map",
    "extra_time": "comparisons",
    "percentiles": "latency",
    "phases": "means",
    "throughput": "throughput",
    "over_time": "blocks",
    "requests_per_connection": "connections",
    "balance": "balance",
}
_TITLES = {
    "amortisation": "What a connection costs, shared by the K requests on it",
    "throughput_by_users": "Throughput by users",
    "latency_by_rate": "Latency by offered rate",
    "latency_by_size": "Latency by size of the response",
    "latency_by_gap": "Latency by gap",
    "heat_map": "Mean latency of each cell",
    "requests_per_connection": "Is reuse happening? Requests per connection, warm-up included",
    "by_position": "Latency by position on the connection",
    "extra_time": "Where the extra time goes: from one mean request to the other, phase by phase",
    "percentiles": "Latency, with handshakes",
    "phases": "Where a request's time goes: mean of each phase per request",
    "throughput": "Throughput",
    "balance": "Whose requests they were over time: connections that are kept stay where they were opened",
    "over_time": "Each block in the order in which it ran: a drift would show as a slope",
}
_PICTURE_BYTES = 900_000  # as files, the data included; in the page pictures take a third more


def charts_html(data: ChartData, pictures: Mapping[str, bytes]) -> str:
    """The figures, with these SVG pictures of charts by name. data: that of `chart_data`."""
    drawn = {name: None for name, key in _DRAWN.items() if key in data} | dict.fromkeys(data.get("lines", ()))
    kept = _kept(pictures, drawn, _PICTURE_BYTES - len(to_script_text(data)) * 3 // 4)
    figures = [
        _figure(name, kept.get(name)) if name in drawn else _picture(name, kept.get(name))
        for name in dict.fromkeys((*pictures, *drawn))
    ]
    note = "<p class=facts>Lines at the ends of bars, and bands: 95 % intervals from the spread between rounds.</p>"
    return "\n".join(("<h2>Charts</h2>", note if drawn else "", *figures))


def _kept(pictures: Mapping[str, bytes], drawn: Container[str], room: int) -> dict[str, bytes]:
    """The pictures that the page has room for: first those that nothing else shows, then the smallest."""
    kept: dict[str, bytes] = {}
    for name, svg in sorted(pictures.items(), key=lambda item: (item[0] in drawn, len(item[1]))):
        room -= len(svg)
        if room >= 0:
            kept[name] = svg
    return kept


def _picture(name: str, svg: bytes | None) -> str:
    title = name.replace("_", " ")
    return picture(title, svg) if svg is not None else f"<p class=facts>{escape(title)}: see {escape(name)}.svg</p>"


def _figure(name: str, svg: bytes | None) -> str:
    return figure_html(name, _TITLES[name], image(name.replace("_", " "), svg) if svg is not None else "")
