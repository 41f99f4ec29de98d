"""Does the server answer a Close, and then close the connection (RFC 6455 §5.5.1)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import format_duration
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.websocket.websocket_link import open_websocket
from loadgen.probe.websocket.where_offered import UPGRADE_PROBE, where_offered


def _run(session: ProbeSession) -> Finding:
    with open_websocket(session) as link:
        core, sent_ns = link.core, session.now_ns()
        if core.closed is not None or link.stream.ended:
            return unknown("the server closed first")
        link.send(core.close())
        if not link.wait(lambda: core.closed is not None, session.timeout_at_ns):
            return Finding(
                verdict=Verdict.VIOLATION,
                measured=f"a Close is not answered by a Close: {link.loss}",
                values={"answered": False},
                advice="clients report such an end as abnormal (1006), and may wait for it in vain",
            )
        values: dict[str, FindingValue] = {"answered": True, "close_ns": link.at_ns - sent_ns}
        if core.closed is not None:
            values["code"] = int(core.closed.code)
        _, has_ended = link.stream.wait_end(session.timeout_at_ns)
        if not has_ended:
            return Finding(
                verdict=Verdict.VIOLATION,
                measured=f"answered, but still open {format_duration(session.plan.timeout_ns)} later",
                values=values,
                advice="the server has to close the TCP connection itself; else clients keep TIME_WAIT",
            )
        values["closed_ns"] = link.stream.ended_ns - sent_ns
    return Finding(
        verdict=Verdict.OK,
        measured=f"answered with {values.get('code')}, closed after {format_duration(link.stream.ended_ns - sent_ns)}",
        values=values,
    )


WEBSOCKET_CLOSE = Probe(
    name="websocket_close",
    title="WebSocket close",
    question="Does the server answer a Close, and then close the connection?",
    method="One Close; its answer and the end of the connection are waited for.",
    section="RFC 6455 §5.5.1",
    values={
        "answered": "a Close came in return",
        "close_ns": "time until then",
        "code": "its code",
        "closed_ns": "time until the connection was closed",
    },
    requests=1,
    connections=1,
    run=where_offered(_run),
    needs_response=False,
    needs=(UPGRADE_PROBE,),
)
