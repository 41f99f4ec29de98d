"""What the probes of WebSocket share: they run where the server offers it, and say so where it does not."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.session import ProbeSession

UPGRADE_PROBE = "websocket_upgrade"
"""The probe that finds out whether WebSocket is offered; the others need it."""


def where_offered(run: Callable[[ProbeSession], Finding]) -> Callable[[ProbeSession], Finding]:
    """A probe's `run` from one that needs a server with WebSocket."""

    def checked(session: ProbeSession) -> Finding:
        upgrade = session.finding(UPGRADE_PROBE)
        if upgrade is None:
            return unknown("whether WebSocket is offered is not known")
        if not upgrade.values.get("offered"):
            return Finding(verdict=Verdict.NOTE, measured="not offered at this URL", topic="websocket")
        return run(session)

    return checked
