"""Does the server close after a response to HTTP/1.0, which knows no persistence by default (RFC 9112 §9.3)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import format_duration
from loadgen.probe.after_response import Next, after_response, close_wait_ns
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_ADVICE = "an HTTP/1.0 client may wait for the close, which ends the response for it; close, or let a proxy do so"


def _run(session: ProbeSession) -> Finding:
    request = session.request(version="1.0")
    with session.open() as stream:
        try:
            reply = session.ask(stream, request)
        except NoResponse as failure:
            if failure.how is Loss.TIMEOUT and failure.received:
                return Finding(
                    verdict=Verdict.WARNING,
                    measured=f"{failure}: the response has no end",
                    values={"closed": False},
                    advice=_ADVICE,
                )
            raise
        announced = reply.field("connection")
        after = after_response(session, stream, reply, again=request)
    if after.what is Next.CLOSED:
        return Finding(
            verdict=Verdict.OK,
            measured=f"closed {after.text}",
            announced=announced,
            values={"closed": True, "close_ns": after.closed_ns},
        )
    is_used = after.what is Next.ANSWERED
    open_for = format_duration(close_wait_ns(session))
    return Finding(
        verdict=Verdict.WARNING,
        measured="stayed open and answered one more request" if is_used else f"still open after {open_for}",
        announced=announced,
        values={"closed": False, "answered_again": is_used},
        advice=_ADVICE,
    )


CLOSES_HTTP10 = Probe(
    name="closes_http10",
    title="HTTP/1.0 closes",
    question="Does the server close after the response to a plain HTTP/1.0 request?",
    method="One HTTP/1.0 request without a Connection field; where the connection stays open, one more.",
    section="RFC 9112 §9.3",
    values={
        "closed": "the server closed the connection in time",
        "close_ns": "time from the response's last byte to the close",
        "answered_again": "it answered one more request on the connection",
    },
    requests=2,
    connections=1,
    run=_run,
)
