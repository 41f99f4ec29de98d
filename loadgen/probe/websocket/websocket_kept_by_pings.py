"""Does a client's Ping keep a WebSocket open beyond its idle timeout?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.websocket.websocket_link import WebSocketLink, open_websocket
from loadgen.probe.websocket.where_offered import UPGRADE_PROBE, where_offered

_SILENT_PROBE = "websocket_idle_timeout"
_INTERVAL_NS = NS_PER_S
_BEYOND = 0.2
"""How much longer than the timeout it has to live, as a share of that."""


def _run(session: ProbeSession) -> Finding:
    interval_ns = min(_INTERVAL_NS, session.plan.idle_max_ns // 20)
    session.waiting_for = "a WebSocket with Pings to outlive the silent ones"
    session.waiting_until_ns = session.until_ns(round(session.plan.idle_max_ns * (1 + _BEYOND)))
    with open_websocket(session) as link:
        begun_ns = link.at_ns
        while not session.has_ended(_SILENT_PROBE, 0) and _ping(session, link, interval_ns):
            pass
        silent = session.finding(_SILENT_PROBE)
        timeout_ns = 0 if silent is None else int(str(silent.values.get("timeout_ns", 0)))
        until_ns = min(begun_ns + round(timeout_ns * (1 + _BEYOND)), session.deadline_ns)
        while session.now_ns() < until_ns and _ping(session, link, interval_ns):
            pass
        has_ended = link.core.closed is not None or bool(link.stream.ended)
        lived_ns = (link.stream.ended_ns or session.now_ns()) - begun_ns
    values: dict[str, FindingValue] = {
        "interval_ns": interval_ns, "lived_ns": lived_ns, "answered": len(link.core.pongs), "kept": not has_ended,
    }  # fmt: skip
    each = f"with a Ping each {format_duration(interval_ns)}"
    if has_ended:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"closed after {format_duration(lived_ns)} {each}",
            values=values,
            advice="Pings do not keep it open: send messages, or let what closes it count control frames",
            topic=_SILENT_PROBE,
        )
    if not timeout_ns:
        return Finding(verdict=Verdict.OK, measured=f"open for {format_duration(lived_ns)}, as without", values=values)
    return Finding(
        verdict=Verdict.OK,
        measured=f"open for {format_duration(lived_ns)} {each}",
        values=values,
        topic=_SILENT_PROBE,
    )


def _ping(session: ProbeSession, link: WebSocketLink, interval_ns: int) -> bool:
    """Send a Ping and wait until the next one is due; False where the server has closed."""
    link.send(link.core.ping(b"loadgen"))
    link.wait(lambda: link.core.closed is not None, session.until_ns(interval_ns))
    return link.core.closed is None and not link.stream.ended and session.now_ns() < session.deadline_ns


WEBSOCKET_KEPT_BY_PINGS = Probe(
    name="websocket_kept_by_pings",
    title="WebSocket kept open by pings",
    question="Does a client's Ping keep a WebSocket open beyond its idle timeout?",
    method=f"One WebSocket with a Ping each second, until it has outlived the silent ones by {_BEYOND:.0%}.",
    section="",
    values={
        "interval_ns": "time between two Pings",
        "lived_ns": "how long it was open",
        "answered": "Pings that were answered",
        "kept": "it was still open at the end",
    },
    requests=1,
    connections=1,
    run=where_offered(_run),
    waits=True,
    needs_response=False,
    needs=(UPGRADE_PROBE, _SILENT_PROBE),
)
