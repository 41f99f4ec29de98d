"""Does the server answer a Ping, with the same data (RFC 6455 §5.5.2, §5.5.3)?"""

from __future__ import annotations

from functools import partial
from statistics import median

from loadgen.model.audit import Verdict
from loadgen.model.units import count
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.medians import median_text
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.websocket.websocket_link import WebSocketLink, open_websocket
from loadgen.probe.websocket.where_offered import UPGRADE_PROBE, where_offered

_PINGS = 6


def _run(session: ProbeSession) -> Finding:
    times_ns: list[int] = []
    with open_websocket(session) as link:
        for number in range(_PINGS):
            data = b"loadgen %d" % number
            before, sent_ns = len(link.core.pongs), session.now_ns()
            link.send(link.core.ping(data))
            # Pongs that no Ping asked for are allowed (RFC 6455 §5.5.3): only the one with its data is the answer.
            if link.wait(partial(_has_pong, link, data), session.timeout_at_ns):
                times_ns.append(link.at_ns - sent_ns)
            elif len(link.core.pongs) > before:
                return Finding(
                    verdict=Verdict.VIOLATION,
                    measured="a Pong has other data than its Ping",
                    values={"pings": number + 1, "answered": number},
                    section="RFC 6455 §5.5.3",
                    advice="clients that match Pongs by their data take this connection for dead",
                )
            else:
                return _unanswered(session, link, number, data)
    return Finding(
        verdict=Verdict.OK,
        measured=f"{_PINGS} of {_PINGS} answered, in {median_text(times_ns)}",
        values={
            "pings": _PINGS, "answered": _PINGS,
            "rtt_p50_ns": round(median(times_ns)), "rtt_min_ns": min(times_ns), "rtt_max_ns": max(times_ns),
        },
    )  # fmt: skip


def _has_pong(link: WebSocketLink, data: bytes) -> bool:
    return data in link.core.pongs


def _unanswered(session: ProbeSession, link: WebSocketLink, answered: int, data: bytes) -> Finding:
    """The Ping with this data got no Pong: a server that answers a Close after it was there, and has read it."""
    values = {"pings": answered + 1, "answered": answered}
    if link.core.closed is not None or link.stream.ended:
        return unknown(f"the server closed after {count(values['pings'], 'Ping')}")
    link.send(link.core.close())
    if not link.wait(lambda: link.core.closed is not None, session.timeout_at_ns):
        return unknown(f"neither a Ping nor a Close was answered: {link.loss}")
    if _has_pong(link, data):
        return unknown("the Ping was answered too late")
    return Finding(
        verdict=Verdict.VIOLATION,
        measured="not answered; a Close after it was",
        values=values,
        advice="clients that check connections by Ping take this server for dead",
    )


WEBSOCKET_PING = Probe(
    name="websocket_ping",
    title="WebSocket ping",
    question="Does the server answer a Ping, and in what time?",
    method=f"{_PINGS} Pings, one after another; where one has no answer, a Close.",
    section="RFC 6455 §5.5.2",
    values={
        "pings": "Pings that were sent",
        "answered": "those that a Pong answered",
        "rtt_p50_ns": "median time to the Pong",
        "rtt_min_ns": "shortest of these",
        "rtt_max_ns": "longest of these",
    },
    requests=1,
    connections=1,
    run=where_offered(_run),
    needs_response=False,
    needs=(UPGRADE_PROBE,),
)
