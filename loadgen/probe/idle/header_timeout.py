"""How long does the server wait for the rest of a request's head (RFC 9112 §9.5)?"""

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

_EMPTY_LINE_BYTES = 2


def _run(session: ProbeSession) -> Finding:
    half = session.request()[:-_EMPTY_LINE_BYTES] + b"X-Half: "
    return wait_out(session, half, "the rest of the head", "header_timeout")


HEADER_TIMEOUT = Probe(
    name="header_timeout",
    title="Header timeout",
    question="How long does the server wait for the rest of a request's head?",
    method=f"{CONNECTIONS} connections send a head that stops in a field, and are watched until the server "
    "closes them.",
    section="RFC 9112 §9.5",
    values=VALUES,
    requests=MAX_TRIES + MAX_REQUESTS_BESIDE,
    connections=MAX_CONNECTIONS,
    run=_run,
    waits=True,
)
