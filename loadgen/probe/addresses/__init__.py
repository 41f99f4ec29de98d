"""Probes: addresses and backends. In the order of the table."""

from __future__ import annotations

from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = ()
