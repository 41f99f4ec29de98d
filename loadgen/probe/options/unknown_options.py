"""Is an unknown connection option ignored, as any new one has to be (RFC 9110 §7.6.1)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.options.with_option import CONNECTIONS, REQUESTS, VALUES, beside_plain
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_NAME = "X-Loadgen-Option"


def _run(session: ProbeSession) -> Finding:
    found = beside_plain(session, session.request(fields=((_NAME, "1"),), connection=_NAME))
    trouble = found.trouble("an unknown connection option")
    if trouble is not None:
        return trouble
    kept = "the connection is kept" if found.kept else "the connection is closed, as without it"
    return Finding(verdict=Verdict.OK, measured=f"ignored; {kept}", values=found.values)


UNKNOWN_OPTIONS = Probe(
    name="unknown_options",
    title="Unknown connection options",
    question="Is a connection option that the server does not know ignored?",
    method=f"A request with `Connection: {_NAME}` and that field, and one without, with another one behind each.",
    section="RFC 9110 §7.6.1",
    values=VALUES,
    requests=REQUESTS,
    connections=CONNECTIONS,
    run=_run,
)
