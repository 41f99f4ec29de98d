"""Does the server offer to take a request before the handshake is done (0-RTT, RFC 8446 §8)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import not_for
from loadgen.probe.tls.tls_tickets import TLS_TICKETS


def _run(session: ProbeSession) -> Finding:
    found = session.finding(TLS_TICKETS.name)
    if found is None:
        return unknown("what the server's tickets allow is not known")
    size = found.values["max_early_data_bytes"]
    assert isinstance(size, int)
    if not size:
        return Finding(
            verdict=Verdict.OK,
            measured="not offered",
            values={"max_early_data_bytes": 0},
            topic="tls_early_data",
        )
    return Finding(
        verdict=Verdict.NOTE,
        measured=f"offered, up to {size:,} bytes",
        announced=f"max_early_data_size={size}",
        values={"max_early_data_bytes": size},
        advice="someone in between can send early data a second time; answer 425 (RFC 8470 §5.2) to requests that must "
        "not be repeated",
        topic="tls_early_data",
    )


TLS_EARLY_DATA = Probe(
    name="tls_early_data",
    title="Early data (0-RTT)",
    question="Does the server offer to take data before the handshake is done?",
    method="Read from the tickets that tls_tickets got; no early data is sent.",
    section="RFC 8446 §8",
    values={"max_early_data_bytes": "how much a client may send before its handshake is done (0: not offered)"},
    requests=0,
    connections=0,
    run=_run,
    needs=(TLS_TICKETS.name,),
    not_for=not_for,
)
