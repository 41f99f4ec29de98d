"""How far an audit is, in a line. Shows nothing."""

from __future__ import annotations

from loadgen.model.units import NS_PER_S
from loadgen.probe.audit import Audit


def progress_text(audit: Audit) -> str:
    """How many probes have ended, and what the longest wait is for: `12 of 48 known · waiting for …, up to 62 s more`.

    It only reads, so that another thread may call it.
    """
    known = f"{audit.known} of {len(audit.probes)} known"
    waiting = [session for session in list(audit.sessions.values()) if session.waiting_for]
    if not waiting:
        return known
    longest = max(waiting, key=lambda session: session.waiting_until_ns)
    left_s = max(0, longest.waiting_until_ns - longest.now_ns()) // NS_PER_S
    return f"{known} · waiting for {longest.waiting_for}, up to {left_s} s more"
