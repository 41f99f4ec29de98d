"""What answers a request whose content is announced as far too long, and does the client get to read that?

A server that closes with content unread resets the connection, and the response may be lost (RFC 9112 §9.6).
"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.messages.content import TYPE_FIELD, content
from loadgen.probe.messages.follow_up import patience_ns
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession, Reply

_ANNOUNCED_BYTES = 1 << 40
_SENT_BYTES = 32_768
_END_WAIT_NS = 3 * NS_PER_S // 10


def _run(session: ProbeSession) -> Finding:
    fields = (TYPE_FIELD, ("Content-Length", str(_ANNOUNCED_BYTES)))
    with session.open() as stream:
        session.send(stream, session.request(method="OPTIONS", fields=fields) + content(_SENT_BYTES))
        try:
            reply = session.read(stream, wait_ns=patience_ns(session))
        except NoResponse as lost:
            return _unanswered(lost)
        stream.wait_end(session.until_ns(_END_WAIT_NS))
        return _judge(reply, stream.ended)


def _unanswered(lost: NoResponse) -> Finding:
    if lost.how == Loss.TIMEOUT:
        return Finding(
            verdict=Verdict.OK,
            measured="no answer: it waits for the content",
            values={"status": 0},
        )
    return Finding(
        verdict=Verdict.WARNING,
        measured=str(lost),
        values={"status": 0, "ended": "reset" if lost.how == Loss.RESET else "fin"},
        advice="let the server answer 413 and read on for a while before it closes: clients see an error, not why",
        topic="body_limit",
    )


def _judge(reply: Reply, ended: str) -> Finding:
    status = reply.head.status
    values: dict[str, FindingValue] = {"status": status, "announced": not reply.persists, "ended": ended}
    if ended == "reset":
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"{status}, then reset",
            values=values,
            advice="let the server read on before it closes (lingering close): a reset can cost the response",
            topic="lingering_close",
        )
    what = _ENDS[bool(ended), reply.persists]
    return Finding(
        verdict=Verdict.NOTE if reply.persists else Verdict.OK,
        measured=f"{status}, {what}",
        values=values,
        topic="body_limit" if reply.persists else None,
    )


_ENDS = {
    (True, False): "then closed as announced",
    (True, True): "then closed without saying so",
    (False, False): "and it reads on before it closes",
    (False, True): "and it reads on",
}
"""By whether it has closed, and whether the response lets the connection persist."""

OVERSIZED_BODY = Probe(
    name="oversized_body",
    title="Content too large",
    question="What answers a request whose announced content is far too long?",
    method=f"OPTIONS that announces 1 TiB of content, and the first {_SENT_BYTES:,} bytes of it. No POST is sent.",
    section="RFC 9112 §9.6",
    values={
        "status": "status of the response, 0 where none came",
        "announced": "whether that response said close",
        "ended": "how the server ended the connection: `fin`, `reset`, or empty where it did not",
    },
    requests=1,
    connections=1,
    run=_run,
)
