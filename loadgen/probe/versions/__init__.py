"""Probes: HTTP versions. In the order of the table."""

from __future__ import annotations

from loadgen.probe.probe import Probe
from loadgen.probe.versions.alpn_required import ALPN_REQUIRED
from loadgen.probe.versions.h2_alpn import H2_ALPN
from loadgen.probe.versions.h2_prior_knowledge import H2_PRIOR_KNOWLEDGE
from loadgen.probe.versions.h2c_upgrade import H2C_UPGRADE
from loadgen.probe.versions.h3_announced import H3_ANNOUNCED
from loadgen.probe.versions.http10 import HTTP10
from loadgen.probe.versions.http11 import HTTP11

PROBES: tuple[Probe, ...] = (
    HTTP11,
    HTTP10,
    H2_ALPN,
    H2C_UPGRADE,
    H2_PRIOR_KNOWLEDGE,
    H3_ANNOUNCED,
    ALPN_REQUIRED,
)
