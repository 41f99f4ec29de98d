"""How long does the server wait for the rest of a request's body (RFC 9112 §9.5)?"""

from __future__ import annotations

from loadgen.probe.finding import Finding
from loadgen.probe.idle.partial_request import (
    CONNECTIONS,
    MAX_CONNECTIONS,
    MAX_REQUESTS_BESIDE,
    MAX_TRIES,
    VALUES,
    wait_out,
)
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_BODY = b"loadgen probe"
_MISSING_BYTES = 5


def _run(session: ProbeSession) -> Finding:
    half = session.request(body=_BODY)[:-_MISSING_BYTES]
    return wait_out(session, half, "the rest of the body", "body_timeout")


BODY_TIMEOUT = Probe(
    name="body_timeout",
    title="Body timeout",
    question="How long does the server wait for the rest of a request's body?",
    method=f"{CONNECTIONS} connections send a GET whose body stops half way, and are watched until the server closes "
    "them or answers without it.",
    section="RFC 9112 §9.5",
    values=VALUES,
    requests=MAX_TRIES + MAX_REQUESTS_BESIDE,
    connections=MAX_CONNECTIONS,
    run=_run,
    waits=True,
)
