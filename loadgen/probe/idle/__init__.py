"""Probes: idle timeouts. In the order of the table."""

from __future__ import annotations

from loadgen.probe.idle.body_timeout import BODY_TIMEOUT
from loadgen.probe.idle.first_request_timeout import FIRST_REQUEST_TIMEOUT
from loadgen.probe.idle.header_timeout import HEADER_TIMEOUT
from loadgen.probe.idle.idle_timeout import IDLE_TIMEOUT
from loadgen.probe.idle.stale_window import STALE_WINDOW
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (
    IDLE_TIMEOUT,
    STALE_WINDOW,
    FIRST_REQUEST_TIMEOUT,
    HEADER_TIMEOUT,
    BODY_TIMEOUT,
)
