"""Probes: limits of a connection. In the order of the table."""

from __future__ import annotations

from loadgen.probe.limits.max_lifetime import MAX_LIFETIME
from loadgen.probe.limits.max_requests import MAX_REQUESTS
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (MAX_REQUESTS, MAX_LIFETIME)
