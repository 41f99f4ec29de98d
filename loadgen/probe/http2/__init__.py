"""Probes: HTTP/2. In the order of the table."""

from __future__ import annotations

from loadgen.probe.http2.http2_goaway import HTTP2_GOAWAY
from loadgen.probe.http2.http2_idle_timeout import HTTP2_IDLE_TIMEOUT
from loadgen.probe.http2.http2_max_requests import HTTP2_MAX_REQUESTS
from loadgen.probe.http2.http2_ping import HTTP2_PING
from loadgen.probe.http2.http2_settings import HTTP2_SETTINGS
from loadgen.probe.http2.http2_streams import HTTP2_STREAMS
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (
    HTTP2_SETTINGS, HTTP2_STREAMS, HTTP2_PING, HTTP2_IDLE_TIMEOUT, HTTP2_MAX_REQUESTS, HTTP2_GOAWAY,
)  # fmt: skip
