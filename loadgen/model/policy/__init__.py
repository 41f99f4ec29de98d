"""Connection policies: how a client treats connections. The thing under test, as a value.

A policy is written as parts joined by `+`, a part as a name and its parameters: `recycle:10+gap:2s`. Each file of
parts/ says all about its parts: their words, what they set, what excludes them, and when a connection may be reused.
"""

from __future__ import annotations

from loadgen.model.policy.exclusions import check_run
from loadgen.model.policy.parsing import RENAMED, extended, identity, parse_policies, parse_policy, suggested
from loadgen.model.policy.part import Part, RunConditions, Trait
from loadgen.model.policy.parts import PARTS
from loadgen.model.policy.policy import FIFO, LIFO, UNLIMITED, ConnectionPolicy, ConnectionUse, ReuseLimit
from loadgen.model.policy.protocols import H2, H2_PRIOR, H2C_UPGRADE, HTTP1, HTTP2, WEBSOCKET, single_use_policy

__all__ = [
    "FIFO",
    "H2",
    "H2C_UPGRADE",
    "H2_PRIOR",
    "HTTP1",
    "HTTP2",
    "LIFO",
    "PARTS",
    "RENAMED",
    "UNLIMITED",
    "WEBSOCKET",
    "ConnectionPolicy",
    "ConnectionUse",
    "Part",
    "ReuseLimit",
    "RunConditions",
    "Trait",
    "check_run",
    "extended",
    "identity",
    "parse_policies",
    "parse_policy",
    "single_use_policy",
    "suggested",
]
