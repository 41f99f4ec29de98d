"""Does a response end where its length says (RFC 9110 §8.6), or do bytes follow that belong to none?

A client that meets such bytes must close the connection: it can't know where the next response begins.
"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.wire.http1.final_head import LINE_END_BYTES
from loadgen.wire.http1.unasked import unasked_status

_RESPONSES = 2
_WAIT_NS = 50 * NS_PER_MS
"""What a server sends too much comes with the response, or right behind it."""


def _run(session: ProbeSession) -> Finding:
    answered, extra = 0, b""
    with session.open() as stream:
        while answered < _RESPONSES and not extra:
            try:
                reply = session.ask(stream)
            except NoResponse as lost:
                if not answered:
                    raise
                extra = lost.received if lost.how == Loss.MALFORMED else b""
                break
            answered += 1
            behind, _ = stream.wait_end(session.until_ns(_WAIT_NS))
            extra = (reply.extra + behind).strip(LINE_END_BYTES)  # clients skip empty lines (RFC 9112 §2.2)
            if not reply.persists:
                break
    length = reply.field("content-length")
    announced = f"Content-Length: {length}" if length is not None else reply.field("transfer-encoding")
    values = {"responses": answered, "extra_bytes": len(extra)}
    if not extra or unasked_status(extra) is not None:
        text = f"nothing behind {answered} response{'s' if answered > 1 else ''}"
        return Finding(verdict=Verdict.OK, measured=text, announced=announced, values=values | {"extra_bytes": 0})
    return Finding(
        verdict=Verdict.VIOLATION,
        measured=f"{len(extra):,} bytes behind the content of {len(reply.body):,} bytes",
        announced=announced,
        values=values,
        advice="the announced length is too short: clients cut the content there, and close the connection",
    )


RESPONSE_END = Probe(
    name="response_end",
    title="Bytes behind a response",
    question="Does a response end where its length says?",
    method=f"{_RESPONSES} GETs on one connection, with a pause of {_WAIT_NS // NS_PER_MS} ms behind each.",
    section="RFC 9110 §8.6",
    values={
        "responses": "responses that came",
        "extra_bytes": "bytes that came behind the last of them, and belong to none",
    },
    requests=_RESPONSES,
    connections=1,
    run=_run,
)
