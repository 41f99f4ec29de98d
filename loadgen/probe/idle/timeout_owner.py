"""Whose timeout it is: a proxy that forwards requests ends the connections to it by its own. Knows no probe."""

from __future__ import annotations

from dataclasses import replace

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.session import ProbeSession


def with_owner(session: ProbeSession, found: Finding) -> Finding:
    """The finding, which says that it is the proxy's, where no tunnel leads to the server."""
    if not session.plan.is_forwarded or found.verdict is Verdict.UNKNOWN:
        return found
    return replace(found, measured=f"the proxy's: {found.measured}")
