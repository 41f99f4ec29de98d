"""Counts one request in an entry of Locust's statistics, as Locust does, in fewer steps. Imports no Locust."""

from __future__ import annotations

from typing import Any


def count_request(
    entry: Any, now_s: float, time_ms: float | None, rounded_ms: float | None, content_bytes: int
) -> None:
    """What `StatsEntry.log` does. rounded_ms: `time_ms` as a key of the distribution; None stands for no time known."""
    second = int(now_s)
    last_s = entry.last_request_timestamp
    if entry.use_response_times_cache and last_s and second > int(last_s):
        entry._cache_response_times(second - 1)
    entry.num_requests += 1
    entry.num_reqs_per_sec[second] += 1
    entry.last_request_timestamp = now_s
    entry.total_content_length += content_bytes
    if time_ms is None:
        entry.num_none_requests += 1
        return
    entry.total_response_time += time_ms
    least_ms = entry.min_response_time
    if least_ms is None or time_ms < least_ms:
        entry.min_response_time = time_ms
    if time_ms > entry.max_response_time:
        entry.max_response_time = time_ms
    entry.response_times[rounded_ms] += 1
