"""Does the other end probe idle connections by TCP keepalive (RFC 9293 §3.8.4)?

A keepalive probe is a segment without data. An idle client gets no other one, so the kernel's count of segments shows
it.
"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_MS, format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.probe.tcp.tcp_info import tcp_info

_LOOK_NS = 100 * NS_PER_MS
_MAX_SETTLING_NS = 300 * NS_PER_MS
"""After the response: late acknowledgements and TLS tickets are no keepalive probes."""
_SEEN = 3
"""So many probes tell the interval between them."""


def _run(session: ProbeSession) -> Finding:
    with session.open() as stream:
        reply = session.ask(stream)
        if not reply.persists:
            return Finding(verdict=Verdict.UNKNOWN, measured="the server keeps no connection open")
        session.waiting_for = "TCP keepalive probes"
        session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
        seen_ns = _watch(session, stream, session.waiting_until_ns)
        watched_ns = (stream.ended_ns or session.now_ns()) - reply.done_ns
        has_ended = bool(stream.ended)
    values: dict[str, FindingValue] = {"watched_ns": watched_ns, "probes": len(seen_ns)}
    if not seen_ns:
        until = ", until the server closed it" if has_ended else ""
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"none within {format_duration(watched_ns)}{until}",
            values=values,
        )
    first_ns = seen_ns[0] - reply.done_ns
    measured = f"first probe after {format_duration(first_ns)}"
    values["first_ns"] = first_ns
    if len(seen_ns) > 1:
        interval_ns = round((seen_ns[-1] - seen_ns[0]) / (len(seen_ns) - 1))
        values["interval_ns"] = interval_ns
        measured = f"{measured}, then each {format_duration(interval_ns)}"
    return Finding(verdict=Verdict.OK, measured=measured, values=values)


def _watch(session: ProbeSession, stream: ProbeStream, until_ns: int) -> list[int]:
    """When each probe was seen (ns), within the time between two looks."""
    seen_ns: list[int] = []
    stream.receive(min(until_ns, session.now_ns() + _MAX_SETTLING_NS))
    before = tcp_info(stream.transport.socket)
    while not stream.ended and session.now_ns() < until_ns and len(seen_ns) < _SEEN:
        stream.receive(min(until_ns, session.now_ns() + _LOOK_NS))
        now = tcp_info(stream.transport.socket)
        stream.receive(session.now_ns())  # a FIN that came meanwhile is a segment without data too
        if stream.ended:
            break
        empty = (now.segments_in - before.segments_in) - (now.data_segments_in - before.data_segments_in)
        if empty > 0:
            seen_ns.append(session.now_ns())
        before = now
    return seen_ns


TCP_KEEPALIVE = Probe(
    name="tcp_keepalive",
    title="TCP keepalive",
    question="Does the server, or what is before it, probe idle connections by TCP keepalive?",
    method="One idle connection is watched: segments without data that come are counted (TCP_INFO).",
    section="RFC 9293 §3.8.4",
    values={
        "watched_ns": "how long the idle connection was watched",
        "probes": "probes that were seen; it ends with the third",
        "first_ns": "idle time until the first one",
        "interval_ns": "time between two of them",
    },
    requests=1,
    connections=1,
    run=_run,
    waits=True,
)
