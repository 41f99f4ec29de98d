"""Probes: a proxy or balancer and the server behind it. In the order of the table.

Those that need a quiet chain are the last of all probes that do not wait.
"""

from __future__ import annotations

from loadgen.probe.chain.chain_losses import CHAIN_LOSSES
from loadgen.probe.chain.hop_by_hop_fields import HOP_BY_HOP_FIELDS
from loadgen.probe.chain.idle_mismatch import IDLE_MISMATCH
from loadgen.probe.chain.origin_idle_timeout import ORIGIN_IDLE_TIMEOUT
from loadgen.probe.chain.upstream_idle_timeout import UPSTREAM_IDLE_TIMEOUT
from loadgen.probe.chain.upstream_reuse import UPSTREAM_REUSE
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (
    HOP_BY_HOP_FIELDS,
    UPSTREAM_REUSE,
    ORIGIN_IDLE_TIMEOUT,
    UPSTREAM_IDLE_TIMEOUT,
    CHAIN_LOSSES,
    IDLE_MISMATCH,
)
