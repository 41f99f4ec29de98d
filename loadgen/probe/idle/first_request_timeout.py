"""How long does the server wait for the first request on a connection (RFC 9112 §9.5)?"""

from __future__ import annotations

from loadgen.probe.finding import Finding
from loadgen.probe.idle.partial_request import CONNECTIONS, MAX_CONNECTIONS, MAX_REQUESTS_BESIDE, VALUES, wait_out
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession


def _run(session: ProbeSession) -> Finding:
    return wait_out(session, b"", "a first request", "first_request_timeout")


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
