"""Each ratio of mean latencies with its interval, and how that got narrower from round to round. Knows no terminal."""

from __future__ import annotations

from rich.cells import cell_len

from loadgen.cli.screen.by_round import MAX_CHART, MIN_CHART
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.spans import GAP, Line, Span, fitted
from loadgen.cli.screen.top import DIGITS
from loadgen.measure.live.live_figures import RatioFigures
from loadgen.measure.stats.comparison import pair_name
from loadgen.measure.stats.precision import half_width
from loadgen.model.characters import visible
from loadgen.model.units import margin_text, plain_number
from loadgen.show.formatting import ABSENT
from loadgen.show.sparkline import bars, falling

_MAX_SHARE = 10
"""Within which a ratio is known at least for its interval to be shown."""
_HEADINGS = ("ratio of mean latencies, 95% interval", "mean latency")


def ratio_lines(progress: RunProgress, width: int, min_name: int) -> list[Line]:
    """A heading and a row a ratio; nothing where there is no ratio. min_name: columns of a name at least."""
    ratios = progress.figures.ratios
    if not ratios:
        return []
    names = [visible(pair_name(one.baseline, one.candidate)) for one in ratios]
    name = max(min_name, min(max(map(cell_len, names)), width // 2))
    texts = [_texts(one) for one in ratios]
    value, interval, margin = (max(map(len, column)) for column in zip(*texts, strict=True))
    chart = width - name - value - margin - 3 * len(GAP)
    has_interval = chart >= interval + len(GAP)
    chart = min(MAX_CHART, chart - interval - len(GAP) if has_interval else chart)
    heading = next((one for one in _HEADINGS if name + len(GAP) + len(one) <= width), "")
    found: list[Line] = [[Span(" " * name + GAP + heading, "dim")]]
    for title, (ratio, bounds, known), one in zip(names, texts, ratios, strict=True):
        between = f"{bounds:<{interval}}{GAP}" if has_interval else ""
        row = [Span(f"{fitted(title, name)}{GAP}{ratio:>{value}}{GAP}{between}{known:>{margin}}{GAP}")]
        found.append(row + ([Span(_narrowing(progress, one, chart), "width")] if chart >= MIN_CHART else []))
    return found


def ratio_text(one: RatioFigures) -> str:
    """`2.98 × [2.91, 3.05]`, as far as it is known."""
    return " ".join(filter(None, _texts(one)[:2]))


def _texts(one: RatioFigures) -> tuple[str, str, str]:
    """The ratio, its interval, and within what share it is known."""
    if one.ratio is None:
        return ABSENT, "", ""
    ratio = f"{plain_number(one.ratio, DIGITS)} ×"
    if one.interval is None:
        return ratio, "", "±?"
    margin = margin_text(half_width(one.interval))
    if half_width(one.interval) > _MAX_SHARE:  # the bounds of two rounds may have ten digits, and say nothing
        return ratio, "", margin
    low, high = (plain_number(bound, DIGITS) for bound in one.interval)
    return ratio, f"[{low}, {high}]", margin


def _narrowing(progress: RunProgress, one: RatioFigures, columns: int) -> str:
    places = progress.max_rounds if progress.aim is None else 0
    return bars(falling(one.half_widths, progress.aim), columns, 1, places=places)[0]
