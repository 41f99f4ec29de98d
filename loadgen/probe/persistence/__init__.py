"""Probes: persistent connections. In the order of the table."""

from __future__ import annotations

from loadgen.probe.persistence.as_announced import AS_ANNOUNCED
from loadgen.probe.persistence.closes_http10 import CLOSES_HTTP10
from loadgen.probe.persistence.keep_alive_http10 import KEEP_ALIVE_HTTP10
from loadgen.probe.persistence.persistent_by_default import PERSISTENT_BY_DEFAULT
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (PERSISTENT_BY_DEFAULT, CLOSES_HTTP10, KEEP_ALIVE_HTTP10, AS_ANNOUNCED)
