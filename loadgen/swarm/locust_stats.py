"""Adds the engine's requests to Locust's own statistics, a whole block at a time. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from locust.stats import RequestStats, StatsEntry, StatsError


def merge_figures(stats: RequestStats, method: str, name: str, figures: Mapping[str, Any]) -> None:
    """Add the requests of a block (see `request_figures`) to an entry and to the total.

    `events.request` does not fire for them: an event for each would cost more than the request did.
    """
    scratch = StatsEntry(RequestStats(use_response_times_cache=False), name, method)
    scratch.num_requests = figures["count"]
    scratch.num_failures = sum(figures["failures"].values())
    scratch.total_response_time = figures["total_ms"]
    scratch.min_response_time = figures["min_ms"]
    scratch.max_response_time = figures["max_ms"]
    scratch.response_times = figures["times_ms"]
    scratch.num_reqs_per_sec = figures["per_second"]
    scratch.num_fail_per_sec = figures["failures_per_second"]
    scratch.total_content_length = figures["bytes"]
    scratch.last_request_timestamp = figures["last_s"]
    scratch.start_time = min(figures["per_second"])
    for entry in (stats.entries[(name, method)], stats.total):
        entry.extend(scratch)
    for kind, count in figures["failures"].items():
        _add_error(stats, method, name, kind, count)


def _add_error(stats: RequestStats, method: str, name: str, kind: str, count: int) -> None:
    key = StatsError.create_key(method, name, kind)
    if key not in stats.errors:
        stats.errors[key] = StatsError(method, name, kind)
    error = stats.errors[key]
    error.occurred()  # notes the time
    error.occurrences += count - 1
