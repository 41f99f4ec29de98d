"""Probes: TCP. In the order of the table."""

from __future__ import annotations

from loadgen.probe.probe import Probe
from loadgen.probe.tcp.initial_window import INITIAL_WINDOW
from loadgen.probe.tcp.tcp_keepalive import TCP_KEEPALIVE

PROBES: tuple[Probe, ...] = (TCP_KEEPALIVE, INITIAL_WINDOW)
