"""What the probes of HTTP/2 share: they run in the way that the server speaks it, and say so where it does not."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.http2.http2_link import Way
from loadgen.probe.session import ProbeSession

SETTINGS_PROBE = "http2_settings"
"""The probe that finds out in which way HTTP/2 is spoken; the others need it."""


def over_http2(run: Callable[[ProbeSession, Way], Finding]) -> Callable[[ProbeSession], Finding]:
    """A probe's `run` from one that is handed the way in which the server speaks HTTP/2."""

    def checked(session: ProbeSession) -> Finding:
        settings = session.finding(SETTINGS_PROBE)
        if settings is None:
            return unknown("whether HTTP/2 is spoken is not known")
        if "way" not in settings.values:
            return not_spoken("not spoken")
        return run(session, Way(str(settings.values["way"])))

    return checked


def not_spoken(why: str) -> Finding:
    return Finding(verdict=Verdict.NOTE, measured=why, topic="http2")
