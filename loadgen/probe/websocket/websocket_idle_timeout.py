"""After which time does the server, or something before it, close a silent WebSocket?"""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import NamedTuple

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import count, format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.medians import median_text
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import APART_S, some_side_by_side
from loadgen.probe.websocket.websocket_link import open_websocket
from loadgen.probe.websocket.where_offered import UPGRADE_PROBE, where_offered

_CONNECTIONS = 6
_ADVICE = "send a Ping, or a message, more often than every {}; or raise the timeout"


class _SilentEnd(NamedTuple):
    """How one silent WebSocket went on."""

    silent_ns: int | None
    """Until a Close or its end, whichever came first; None where it outlived the watch."""
    code: int | None
    """Of the Close; None where none came."""
    pings: int


def _run(session: ProbeSession) -> Finding:
    watched = some_side_by_side([partial(_watch, session)] * _CONNECTIONS, APART_S)
    found = sorted(one.silent_ns for one in watched if one.silent_ns is not None)
    pings = sum(one.pings for one in watched)
    asks = f"; the server sent {count(pings, 'Ping')}" if pings else ""
    values: dict[str, FindingValue] = {"connections": len(watched), "ended": len(found), "pings": pings}
    if not found:
        idle_max_ns = session.plan.idle_max_ns
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"longer than {format_duration(idle_max_ns)}{asks}",
            values=values | {"longer_than_ns": idle_max_ns},
            topic="websocket_idle_timeout",
        )
    codes = [one.code for one in watched if one.code is not None]
    values |= {
        "timeout_ns": round(median(found)), "min_ns": found[0], "max_ns": found[-1], "closes": len(codes),
    }  # fmt: skip
    if codes:
        values["code"] = codes[0]
    how = (
        f"Close {codes[0]}"
        if len(codes) == len(found)
        else f"{len(found) - len(codes)} of {len(found)} without a Close"
    )
    spread = median_text(found)
    return Finding(
        verdict=Verdict.NOTE,
        measured=f"{spread}, {how}{asks}",
        values=values,
        advice=_ADVICE.format(format_duration(found[0])),
        topic="websocket_idle_timeout",
    )


def _watch(session: ProbeSession) -> _SilentEnd:
    with open_websocket(session) as link:
        begun_ns, core = link.at_ns, link.core
        session.waiting_for = "silent WebSockets to be closed"
        session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
        link.wait(lambda: core.closed is not None, session.waiting_until_ns)
        if core.closed is not None:
            return _SilentEnd(link.at_ns - begun_ns, int(core.closed.code), core.pings)
        if link.stream.ended:
            return _SilentEnd(link.stream.ended_ns - begun_ns, None, core.pings)
        return _SilentEnd(None, None, core.pings)


WEBSOCKET_IDLE_TIMEOUT = Probe(
    name="websocket_idle_timeout",
    title="WebSocket idle timeout",
    question="After which time is a silent WebSocket closed?",
    method=f"{_CONNECTIONS} WebSockets are opened within {_CONNECTIONS * APART_S:.1f} s and watched; "
    "the server's Pings are answered.",
    section="",
    values={
        "timeout_ns": "median time at which a Close or the end came",
        "min_ns": "shortest of these",
        "max_ns": "longest of these",
        "longer_than_ns": "none was closed within this time",
        "connections": "WebSockets that were watched",
        "ended": "those that the server closed",
        "closes": "those of them that it closed with a Close",
        "code": "the code of the first one",
        "pings": "Pings that the server sent meanwhile",
    },
    requests=_CONNECTIONS,
    connections=_CONNECTIONS,
    run=where_offered(_run),
    waits=True,
    needs_response=False,
    needs=(UPGRADE_PROBE,),
)
