"""Is `TE: trailers` accepted, and does a trailer section come (RFC 9110 §6.5, §10.1.4)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.options.with_option import CONNECTIONS, REQUESTS, VALUES, beside_plain
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession


def _run(session: ProbeSession) -> Finding:
    found = beside_plain(session, session.request(fields=(("TE", "trailers"),), connection="TE"))
    trouble = found.trouble("TE: trailers")
    if trouble is not None:
        return trouble
    names = [name.decode("latin-1").lower() for name, _ in found.reply.trailers]
    return Finding(
        verdict=Verdict.OK,
        measured=f"accepted; trailer section: {', '.join(names)}" if names else "accepted; no trailer section came",
        announced=found.reply.field("trailer"),
        values=found.values | {"trailers": names},
        topic="trailers",
    )


TE_TRAILERS = Probe(
    name="te_trailers",
    title="TE: trailers",
    question="Is `TE: trailers` accepted, and does a trailer section come?",
    method="A request with `TE: trailers` and one without it, with another one behind each.",
    section="RFC 9110 §10.1.4",
    values=VALUES | {"trailers": "names of the fields in the trailer section"},
    requests=REQUESTS,
    connections=CONNECTIONS,
    run=_run,
)
