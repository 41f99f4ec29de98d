"""Probes: closing. In the order of the table."""

from __future__ import annotations

from loadgen.probe.closing.close_honoured import CLOSE_HONOURED
from loadgen.probe.closing.close_options import CLOSE_OPTIONS
from loadgen.probe.closing.lingering_close import LINGERING_CLOSE
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (CLOSE_HONOURED, CLOSE_OPTIONS, LINGERING_CLOSE)
