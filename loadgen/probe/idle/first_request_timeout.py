"""How long does the server wait for the first request on a connection (RFC 9112 §9.5)?"""

from __future__ import annotations

from dataclasses import replace

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.idle.partial_request import CONNECTIONS, MAX_CONNECTIONS, MAX_REQUESTS_BESIDE, VALUES, wait_out
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_ERRORS = 400
_UNASKED = "send nothing before a request has come: a client takes it for the response to its first request"


def _run(session: ProbeSession) -> Finding:
    found = wait_out(session, b"", "a first request", "first_request_timeout")
    status = found.values.get("answered_status")
    # An error may say why no request is wanted; anything else belongs to a request that never was.
    if isinstance(status, int) and status < _ERRORS:
        return replace(found, verdict=Verdict.WARNING, advice=_UNASKED)
    return found


FIRST_REQUEST_TIMEOUT = Probe(
    name="first_request_timeout",
    title="First-request timeout",
    question="How long does the server wait for the first request on a connection?",
    method=f"{CONNECTIONS} connections are opened, nothing is sent, and they are watched until the server closes them.",
    section="RFC 9112 §9.5",
    values=VALUES,
    requests=MAX_REQUESTS_BESIDE,
    connections=MAX_CONNECTIONS,
    run=_run,
    waits=True,
)
