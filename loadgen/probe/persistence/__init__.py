"""Probes: persistent connections. In the order of the table."""

from __future__ import annotations

from loadgen.probe.persistence.persistent_by_default import PERSISTENT_BY_DEFAULT
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (PERSISTENT_BY_DEFAULT,)
