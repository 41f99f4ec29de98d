"""After which idle time does the server end an HTTP/2 connection, and does it send GOAWAY first (RFC 9113 §9.1)?"""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import NamedTuple

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, count, format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import Way, open_http2
from loadgen.probe.http2.over_http2 import SETTINGS_PROBE, over_http2
from loadgen.probe.medians import median_text
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import APART_S, some_side_by_side

_CONNECTIONS = 6
_MAX_CLOSING_NS = NS_PER_S
"""How long the end is waited for after a GOAWAY."""


class _IdleEnd(NamedTuple):
    """How one connection went on after its response."""

    idle_ns: int | None
    """Until GOAWAY or its end, whichever came first; None where it outlived the watch."""
    goaway: bool
    code: str
    two_step: bool
    closing_ns: int
    """From GOAWAY to the end; 0 where one of them did not come."""
    pings: int


def _run(session: ProbeSession, way: Way) -> Finding:
    watched = some_side_by_side([partial(_watch, session, way)] * _CONNECTIONS, APART_S)
    pings = sum(one.pings for one in watched)
    ended = [one for one in watched if one.idle_ns is not None]
    found = sorted(one.idle_ns for one in ended if one.idle_ns is not None)
    values: dict[str, FindingValue] = {"connections": len(watched), "ended": len(found), "pings": pings}
    asks = f"; the server sent {count(pings, 'PING')}" if pings else ""
    if not found:
        idle_max_ns = session.plan.idle_max_ns
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"longer than {format_duration(idle_max_ns)}{asks}",
            values=values | {"longer_than_ns": idle_max_ns},
            topic="http2_idle_timeout",
        )
    goaways = sum(one.goaway for one in ended)
    values |= {"timeout_ns": round(median(found)), "min_ns": found[0], "max_ns": found[-1], "goaways": goaways}
    if goaways:
        values["code"] = next(one.code for one in ended if one.goaway)
        values["two_step"] = any(one.two_step for one in ended)
        values["closing_ns"] = round(median(one.closing_ns for one in ended if one.goaway))
    spread = median_text(found)
    if goaways == len(ended):
        said = f"GOAWAY {values['code']} first"
        return Finding(
            verdict=Verdict.OK, measured=f"{spread}, {said}{asks}", values=values, topic="http2_idle_timeout"
        )
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"{spread}, {len(ended) - goaways} of {len(ended)} without GOAWAY{asks}",
        values=values,
        section="RFC 9113 §6.8",
        advice=f"a request that meets the end is lost: use no connection that was idle for {format_duration(found[0])}",
        topic="http2_idle_timeout",
    )


def _watch(session: ProbeSession, way: Way) -> _IdleEnd:
    with open_http2(session, way) as link:
        link.ask()
        client, done_ns = link.client, link.at_ns
        session.waiting_for = "idle HTTP/2 connections to be ended"
        session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
        before = len(client.goaways)
        link.wait(lambda: len(client.goaways) > before, session.waiting_until_ns)
        if not client.goaways and not link.stream.ended:
            return _IdleEnd(None, False, "", False, 0, client.pings)
        idle_ns = (link.goaway_ns or link.stream.ended_ns) - done_ns
        if not client.goaways:
            return _IdleEnd(idle_ns, False, "", False, 0, client.pings)
        link.wait(lambda: False, session.until_ns(_MAX_CLOSING_NS))
        closing_ns = link.stream.ended_ns - link.goaway_ns if link.stream.ended else 0
        first = client.goaways[0]
        return _IdleEnd(idle_ns, True, first.code, first.is_first_of_two, closing_ns, client.pings)


HTTP2_IDLE_TIMEOUT = Probe(
    name="http2_idle_timeout",
    title="HTTP/2 idle timeout",
    question="After which idle time does the server end an HTTP/2 connection, and does it send GOAWAY first?",
    method=f"{_CONNECTIONS} connections are opened within {_CONNECTIONS * APART_S:.1f} s, each used once "
    "and watched; the server's PINGs are answered.",
    section="RFC 9113 §9.1",
    values={
        "timeout_ns": "median idle time at which GOAWAY or the end came",
        "min_ns": "shortest of these",
        "max_ns": "longest of these",
        "longer_than_ns": "no connection was ended within this time",
        "connections": "connections that were watched",
        "ended": "those that the server ended",
        "goaways": "those of them that it announced by GOAWAY",
        "code": "the error code of the first GOAWAY",
        "two_step": "a first GOAWAY came before the one that names the last stream",
        "closing_ns": "median time from GOAWAY to the end of the connection; 0 where it did not end",
        "pings": "PINGs that the server sent meanwhile",
    },
    requests=_CONNECTIONS * 2,
    needs_response=False,
    connections=_CONNECTIONS,
    run=over_http2(_run),
    waits=True,
    needs=(SETTINGS_PROBE,),
)
