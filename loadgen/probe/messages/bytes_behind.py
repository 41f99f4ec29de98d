"""Bytes behind a request: an empty line is skipped, anything else is the next request (RFC 9112 §2.2)?

Old clients send an empty line behind their content. A server that throws other bytes away would lose requests too.
"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.messages.follow_up import PLAIN, FollowUp, follow_up, patience_ns
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_EMPTY_LINE = b"\r\n"
_NO_REQUEST = b"loadgen probe\r\n\r\n"


def _run(session: ProbeSession) -> Finding:
    step = _empty_line(session)
    status, what = _no_request(session)
    empty_line = _EMPTY_LINES[step]
    values: dict[str, FindingValue] = {"empty_line": empty_line, "garbage": what}
    if status:
        values["garbage_status"] = status
    is_tolerant = step.is_clean
    is_dropped = what == "ignored"
    return Finding(
        # Only clients of the last century send an empty line of their own.
        verdict=Verdict.WARNING if is_dropped else Verdict.OK if is_tolerant else Verdict.NOTE,
        measured=f"empty line {empty_line}; no request: {f'{status}, ' if status else ''}{what}",
        values=values,
        advice=_advice(is_tolerant=is_tolerant, is_dropped=is_dropped),
    )


def _empty_line(session: ProbeSession) -> FollowUp:
    """What a request finds behind an empty line that followed the request before it."""
    with session.open() as stream:
        return follow_up(session, stream, session.ask(stream, session.request() + _EMPTY_LINE))


def _no_request(session: ProbeSession) -> tuple[int, str]:
    """The status, 0 for none, that bytes got that are no request, and what became of the connection."""
    with session.open() as stream:
        sent_ns = session.send(stream, session.request() + _NO_REQUEST, 2)
        reply = session.read(stream, sent_ns, pipelined=True)
        if not reply.persists:
            return 0, "closed"
        try:
            refusal = session.read(stream, rest=reply.extra, wait_ns=patience_ns(session))
        except NoResponse as lost:
            if lost.how != Loss.TIMEOUT or lost.received:
                return 0, "closed"
        else:
            return refusal.head.status, "closed" if not refusal.persists else "still open"
        try:
            session.ask(stream)
        except NoResponse:
            return 0, "not answered"
        return 0, "ignored"


def _advice(*, is_tolerant: bool, is_dropped: bool) -> str | None:
    if is_dropped:
        return "don't pipeline here: bytes that arrive together with a request are thrown away"
    if not is_tolerant:
        return "let the server skip an empty line before a request, which old clients send: their next request is lost"
    return None


_EMPTY_LINES = {
    FollowUp.IN_STEP: "skipped",
    FollowUp.ANNOUNCED: "never read",
    FollowUp.CLOSED_AS_EVER: "never read",
    FollowUp.CLOSED: "ends the connection",
    FollowUp.SILENT: "ends the answers",
    FollowUp.OUT_OF_STEP: "taken for a request",
    FollowUp.MISREAD: "taken for a request",
}
"""What the request found that followed the empty line."""

BYTES_BEHIND = Probe(
    name="bytes_behind",
    title="Bytes behind a request",
    question="What becomes of an empty line, and of bytes that are no request, behind a request?",
    method="A GET and an empty line, then a GET; on another connection a GET and a line that is no request, in one go.",
    section="RFC 9112 §2.2",
    values={
        "empty_line": "what became of it: `skipped`, `taken for a request`, `never read`, it `ends the "
        "connection` or the `answers`",
        "garbage_status": "status that the bytes got that are no request; absent where none came",
        "garbage": "what came of it: connection `closed`, `still open`, `not answered`, or the bytes were `ignored`",
    },
    requests=5,
    connections=2,
    needs=PLAIN,
    run=_run,
)
