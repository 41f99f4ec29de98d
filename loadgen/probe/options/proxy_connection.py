"""Is the field Proxy-Connection ignored, which no server should obey (RFC 9112 appendix C.2.2)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.after_response import Next, after_response
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding
from loadgen.probe.options.with_option import CONNECTIONS, REQUESTS, VALUES, beside_plain
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_FIELD = "Proxy-Connection"
_WAIT_NS = NS_PER_S // 2
"""For a close after a response of HTTP/1.0."""


def _run(session: ProbeSession) -> Finding:
    found = beside_plain(session, session.request(fields=((_FIELD, "close"),)))
    refusal = found.refusal(_FIELD)
    if refusal is not None:
        return refusal
    plain_closes = _closes(session)
    keeps = plain_closes and not _closes(session, (_FIELD, "keep-alive"))
    values: dict[str, FindingValue] = found.values | {"keeps_http10": keeps}
    obeyed = [f"{_FIELD}: close"] if found.plain_kept and not found.kept else []
    if keeps:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"HTTP/1.0 with {_FIELD}: keep-alive is kept open",
            values=values,
            advice="behind a proxy that passes the field on, both sides wait for the other to close; ignore the field",
            topic="hop_by_hop",
        )
    if obeyed:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"obeyed: {obeyed[0]} closes the connection",
            values=values,
            advice="old clients send it; let the server ignore it",
            topic="hop_by_hop",
        )
    return Finding(verdict=Verdict.OK, measured="ignored", values=values)


def _closes(session: ProbeSession, *fields: tuple[str, str]) -> bool:
    """A connection is closed after a request of HTTP/1.0."""
    with session.open() as stream:
        reply = session.ask(stream, session.request(version="1.0", fields=fields))
        wait_ns = min(_WAIT_NS, session.plan.timeout_ns)
        return after_response(session, stream, reply, wait_ns).what is Next.CLOSED


def _not_for(plan: AuditPlan) -> str:
    if plan.is_forwarded:
        return "a proxy may obey Proxy-Connection, which was made for it"
    return ""


PROXY_CONNECTION = Probe(
    name="proxy_connection",
    title="Proxy-Connection",
    question="Is the field Proxy-Connection ignored?",
    method="With `close` in HTTP/1.1 the connection has to stay open, with `keep-alive` in HTTP/1.0 it has to close.",
    section="RFC 9112 §C.2.2",
    values=VALUES | {"keeps_http10": "it keeps a connection of HTTP/1.0 open that is closed without it"},
    requests=REQUESTS + 4,
    connections=CONNECTIONS + 2,
    run=_run,
    not_for=_not_for,
)
