"""Probes: idle timeouts. In the order of the table."""

from __future__ import annotations

from loadgen.probe.idle.idle_timeout import IDLE_TIMEOUT
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (IDLE_TIMEOUT,)
