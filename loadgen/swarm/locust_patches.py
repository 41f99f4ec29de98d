"""Three significant digits for Locust's own statistics, which otherwise keep and show whole milliseconds.

Locust documents `bucket_response_time` as a function to replace. Its tables and CSV files cut figures to whole numbers
in methods that are not, so these are patched. So is the pause between two tasks: without a wait time it
only lets others run, at 2 µs, and a ReuseUser's request has just done that. The CSV files are closed while their writer
still runs.
"""

from __future__ import annotations

from typing import Any

import gevent
from locust import TaskSet, stats
from locust.stats import StatsCSV, StatsCSVFileWriter, StatsEntry

from loadgen.measure.live.rounding import three_digits

# (limit in ms, decimals of figures below it); from 100 ms on figures are whole. Nothing real is below 10 ns.
_DECIMALS = ((0.1, 4), (1, 3), (10, 2), (100, 1))

_to_dict = StatsEntry.to_dict
_stats_writer = StatsCSVFileWriter.stats_writer
_close_files = StatsCSVFileWriter.close_files


def install() -> None:
    """Make Locust keep and show digits below a millisecond in this process; a second call changes nothing."""
    stats.bucket_response_time = three_digits  # type: ignore[assignment] # keys may be any numbers
    StatsEntry.to_dict = _figures  # type: ignore[assignment, method-assign]
    StatsEntry.to_string = _row  # type: ignore[assignment, method-assign]
    StatsEntry.percentile = _percentile_row  # type: ignore[assignment, method-assign]
    TaskSet._sleep = _sleep  # type: ignore[method-assign]
    StatsCSV._percentile_fields = _percentile_fields  # type: ignore[assignment, method-assign]
    StatsCSVFileWriter.stats_writer = _write_stats  # type: ignore[assignment, method-assign]
    StatsCSVFileWriter.close_files = _end_writing  # type: ignore[assignment, method-assign]


def _write_stats(writer: StatsCSVFileWriter) -> None:
    """In place of `StatsCSVFileWriter.stats_writer`, which runs in a greenlet that Locust forgets."""
    vars(writer)["greenlet"] = gevent.getcurrent()
    _stats_writer(writer)


def _end_writing(writer: StatsCSVFileWriter) -> None:
    """In place of `StatsCSVFileWriter.close_files`.

    The loop runs once more when Python exits. If the writer's second is over then, it would write to files that are
    closed, and Locust would end with a traceback.
    """
    greenlet = vars(writer).get("greenlet")
    if greenlet is not None:
        greenlet.kill(block=False)
    _close_files(writer)


def readable(value_ms: float) -> str:
    """Three significant digits without an exponent: 0.0412, 0.101, 1.20, 12.3, 147, 1230."""
    rounded = three_digits(value_ms)
    decimals = next((decimals for limit, decimals in _DECIMALS if rounded < limit), 0)
    return f"{rounded:.{decimals}f}" if rounded else "0"


def _sleep(self: TaskSet, seconds: float) -> None:
    """In place of `TaskSet._sleep`: without a wait time, others need no turn where a request just gave one."""
    client = getattr(self.user, "greenlet_client", None)
    if seconds > 0 or client is None or not client.take_turn():
        gevent.sleep(seconds)


def _figures(entry: StatsEntry, escape_string_values: bool = False) -> dict[str, Any]:
    """In place of `StatsEntry.to_dict`: the figures of web UI and HTML report."""
    figures: dict[str, Any] = _to_dict(entry, escape_string_values)
    figures["min_response_time"] = three_digits(entry.min_response_time or 0)
    figures["max_response_time"] = three_digits(entry.max_response_time)
    figures["median_response_time"] = three_digits(entry.median_response_time)
    return figures


def _row(entry: StatsEntry, current: bool = True) -> str:
    """In place of `StatsEntry.to_string`: a row of the table that Locust prints."""
    rps = entry.current_rps if current else entry.total_rps
    failures_rps = entry.current_fail_per_sec if current else entry.total_fail_per_sec
    name_width = stats.STATS_NAME_WIDTH - stats.STATS_TYPE_WIDTH + 4
    times = (
        entry.avg_response_time, entry.min_response_time or 0, entry.max_response_time, entry.median_response_time,
    )  # fmt: skip
    average, minimum, maximum, median = (readable(value) for value in times)
    failures = f"{entry.num_failures}({entry.fail_ratio * 100:.2f}%)"
    method = f"{entry.method} " if entry.method else ""
    return (
        f"{method:<{stats.STATS_TYPE_WIDTH}} {entry.name:<{name_width}} {entry.num_requests:>7} {failures:>12} |"
        f"{average:>7} {minimum:>7} {maximum:>7}{median:>7} | {rps or 0:>7.2f} {failures_rps or 0:>11.2f}"
    )


def _percentile_row(entry: StatsEntry) -> str:
    """In place of `StatsEntry.percentile`: a row of the table of percentiles. Raises ValueError where none is known."""
    if not entry.num_requests:
        raise ValueError("Can't calculate percentile on url with no successful requests")
    first, *others = (readable(entry.get_response_time_percentile(share)) for share in stats.PERCENTILES_TO_REPORT)
    columns = " ".join(f"{text:>6}" for text in (*others, str(entry.num_requests)))
    return f"{entry.method or '':<{stats.STATS_TYPE_WIDTH}} {entry.name:<{stats.STATS_NAME_WIDTH}} {first:>8} {columns}"


def _percentile_fields(writer: StatsCSV, stats_entry: StatsEntry, use_current: bool = False) -> list[Any]:
    """In place of `StatsCSV._percentile_fields`, which cuts percentiles to whole numbers."""
    if not stats_entry.num_requests:
        return writer.percentiles_na
    use_current = use_current and stats_entry.use_response_times_cache
    percentile = (
        stats_entry.get_current_response_time_percentile if use_current else stats_entry.get_response_time_percentile
    )
    return [percentile(share) or 0 for share in writer.percentiles_to_report]
