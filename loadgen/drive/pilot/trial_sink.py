"""The sink of a pilot: what one trial block did, in a few figures. Writes no file, judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean, median_low
from typing import Any

from loadgen.model.pilot_record import PilotFigures
from loadgen.model.sample_sink import RunSink
from loadgen.model.units import NS_PER_S


class TrialSink(RunSink):
    """Keeps the latencies of the present block's counted requests, those that were due in its window."""

    def __init__(self) -> None:
        self.requests = 0
        """All requests of the pilot, counted or not."""
        self.connections = 0
        """All connections of the pilot."""
        self._begun_ns: int | None = None
        self._ended_ns: int | None = None
        self._latencies_ns: list[int] = []
        self._lags_ns: list[int] = []
        self._firsts_ns: dict[int, int] = {}
        """Of connections that are open: the time of their first exchange, which their handshake comes to."""
        self._errors = 0

    @property
    def exchanges(self) -> int:
        return self.requests

    def begin(self) -> None:
        """A block begins; nothing counts until its window does."""
        self._begun_ns = self._ended_ns = None
        self._latencies_ns, self._lags_ns, self._firsts_ns = [], [], {}
        self._errors = 0

    def open_window(self, begun_ns: int) -> None:
        """Requests that are due from now on count."""
        self._begun_ns = begun_ns

    def close_window(self, ended_ns: int) -> None:
        """Requests that are due from now on do not count; those that are under way do."""
        self._ended_ns = ended_ns

    def exchange(
        self, connection: int, user: int, request_index: int, scheduled: int, queue: int, late: int, send: int,
        wait: int, receive: int, own: int, lag: int, wait_delay: int, outcome: int, bytes_sent: int,
        bytes_received: int, continue_wait: int,
    ) -> None:  # fmt: skip
        self.requests += 1
        if not self._counts(scheduled):
            return
        if outcome < 0:
            self._errors += 1
            return
        latency_ns = max(0, queue) + max(0, send) + max(0, wait) + max(0, receive)
        self._lags_ns.append(lag)
        if request_index:
            self._latencies_ns.append(latency_ns)
        else:
            self._firsts_ns[connection] = latency_ns

    def connection(
        self, connection: int, slot: int, opened: int, dns: int, connect: int, tunnel: int, tls: int, upgrade: int,
        connect_delay: int, flags: int, ending: int,
    ) -> None:  # fmt: skip
        self.connections += 1
        first_ns = self._firsts_ns.pop(connection, None)
        if first_ns is not None:
            self._latencies_ns.append(first_ns + sum(max(0, part) for part in (dns, connect, tunnel, tls, upgrade)))

    def block(self, facts: Mapping[str, Any]) -> None:
        """A pilot's blocks leave no facts."""

    def figures(self, window_ns: int, cpu_ns: int) -> PilotFigures:
        """Of the block that has ended. window_ns, cpu_ns: length of its window, and this process's CPU time in it."""
        latencies_ns = self._latencies_ns
        count = len(latencies_ns)
        return {
            "requests": count,
            "errors": self._errors,
            "rate_rps": count * NS_PER_S / window_ns if window_ns else 0.0,
            "latency_p50_ns": median_low(latencies_ns) if count else None,
            "latency_mean_ns": round(fmean(latencies_ns)) if count else None,
            "lag_p50_ns": median_low(self._lags_ns) if self._lags_ns else None,
            "cpu_share": cpu_ns / window_ns if window_ns else 0.0,
            "cpu_ns_per_request": round(cpu_ns / count) if count else None,
        }

    def _counts(self, scheduled_ns: int) -> bool:
        begun, ended = self._begun_ns, self._ended_ns
        return begun is not None and scheduled_ns >= begun and (ended is None or scheduled_ns < ended)
