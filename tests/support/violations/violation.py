"""One server that breaks a rule."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S

SOON = {"timeout_ns": NS_PER_S // 5}
"""A plan for servers that never answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A script for each accepted connection, and what the probe must make of it."""

    name: str
    probe: str
    script: Callable[[socket.socket, int], None]
    """Gets the connection and its number, from 0; it is closed when the script returns."""
    is_tls: bool = False
    """The script speaks TLS."""
    verdict: Verdict = Verdict.VIOLATION
    values: Mapping[str, FindingValue] = field(default_factory=dict)
    """Values that the finding must have."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the audit's plan, such as a shorter timeout."""
