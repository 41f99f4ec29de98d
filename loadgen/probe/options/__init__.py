"""Probes: connection options. In the order of the table."""

from __future__ import annotations

from loadgen.probe.options.proxy_connection import PROXY_CONNECTION
from loadgen.probe.options.te_trailers import TE_TRAILERS
from loadgen.probe.options.unknown_options import UNKNOWN_OPTIONS
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (TE_TRAILERS, UNKNOWN_OPTIONS, PROXY_CONNECTION)
